using System.Buffers.Binary;
using System.Text;
using KawaOrleans.Format;

namespace KawaOrleans.Storage.Streams;

/// <summary>Gives the events of a batch their revisions, or says why it may not be written. Used by one thread at a time.</summary>
/// <remarks>What is staged and not yet on disk counts: whoever is refused because of it is told after it is on disk.</remarks>
internal sealed class StreamNumbers(OpenStreams streams, IStreamHeads before)
{
    private int[] _ordinals = [];
    private long[] _revisions = [];
    private long[] _lastOfExpected = [];

    private StreamState[] _stateOfExpected = [];
    private StreamState _stateAfter;
    private int _count;

    /// <summary>The revisions of the batch last numbered, one an event.</summary>
    public ReadOnlySpan<long> Revisions => _revisions.AsSpan(0, _count);

    /// <summary>Numbers the batch, or answers what stands against it; then nothing has changed.</summary>
    /// <param name="frames">The batch, not stamped.</param>
    /// <param name="relativePosition">The position of its first event.</param>
    /// <param name="expected">What it expects of streams.</param>
    /// <exception cref="SegmentDamagedException">What the look-up of a stream rests on does not verify; nothing has changed.</exception>
    public StreamConflict? Number(ReadOnlySpan<byte> frames, uint relativePosition, StreamExpectations expected)
    {
        lock (streams.Gate)
        {
            var known = streams.Count;
            try
            {
                if ((Resolve(frames) ?? (expected.All.Count > 0 ? Conflict(expected) : null)) is { } conflict)
                {
                    streams.TakeBack(known);
                    return conflict;
                }
            }
            catch
            {
                streams.TakeBack(known);
                throw;
            }

            for (var i = 0; i < _count; i++)
            {
                _revisions[i] = streams.Add(_ordinals[i], relativePosition + (uint)i);
            }

            // Only the last event of a batch can say anything of its stream.
            streams.SetState(_ordinals[_count - 1], _stateAfter);
            return null;
        }
    }

    /// <summary>Finds the stream of each event, beginning those that have no event in this segment yet; answers the first that has ended.</summary>
    private StreamConflict? Resolve(ReadOnlySpan<byte> frames)
    {
        ReadOnlySpan<byte> lastName = default;
        for (_count = 0; !frames.IsEmpty; _count++)
        {
            var i = _count;
            if (i == _ordinals.Length)
            {
                Array.Resize(ref _ordinals, Math.Max(64, 2 * i));
                Array.Resize(ref _revisions, _ordinals.Length);
            }

            var name = EventBody.StreamOf(frames);
            if (i > 0 && name.SequenceEqual(lastName))
            {
                _ordinals[i] = _ordinals[i - 1];
            }
            else
            {
                _ordinals[i] = Resolve(BinaryPrimitives.ReadUInt32LittleEndian(frames[FrameLayout.StreamHash..]), name);
                lastName = name;
                if (streams.StateOf(_ordinals[i]) == StreamState.Tombstoned)
                {
                    return StreamConflict.Ended(Encoding.UTF8.GetString(name), streams.LastRevision(_ordinals[i]));
                }
            }

            _stateAfter = StreamStates.Of((FrameTraits)frames[FrameLayout.Traits]);
            frames = frames[FrameLayout.Padded(BinaryPrimitives.ReadInt32LittleEndian(frames[FrameLayout.Length..]))..];
        }

        return null;
    }

    private int Resolve(uint hash, ReadOnlySpan<byte> name)
    {
        var ordinal = streams.Find(hash, name);
        if (ordinal >= 0)
        {
            return ordinal;
        }

        var head = before.Find(new StreamName(name));
        ordinal = streams.Begin(hash, name, head is { } h ? h.Revision + 1 : 0, head?.Position ?? -1);
        streams.SetState(ordinal, head?.State ?? StreamState.Live);
        return ordinal;
    }

    private StreamConflict? Conflict(StreamExpectations expected)
    {
        if (_lastOfExpected.Length < expected.All.Count)
        {
            _lastOfExpected = new long[expected.All.Count];
            _stateOfExpected = new StreamState[expected.All.Count];
        }

        for (var i = 0; i < expected.All.Count; i++)
        {
            var name = new StreamName(expected.NameUtf8(i));
            var ordinal = streams.Find(name.Hash, name.Utf8);
            (_lastOfExpected[i], _stateOfExpected[i]) = ordinal >= 0 ? (streams.LastRevision(ordinal), streams.StateOf(ordinal))
                : before.Find(name) is { } head ? (head.Revision, head.State)
                : (-1, StreamState.Live);
        }

        return RevisionCheck.FirstConflict(expected, _lastOfExpected, _stateOfExpected);
    }
}
