using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using KawaOrleans.Format;

namespace KawaOrleans.Storage.Streams;

/// <summary>Gives the events of a batch their revisions, or says why it may not be written. Used by one thread at a time.</summary>
/// <remarks>What is staged and not yet on disk counts: whoever is refused because of it is told after it is on disk.</remarks>
internal sealed class StreamNumbers(OpenStreams streams, IStreamHeads before)
{
    /// <summary>Fits the nearest cache with what else is at work there.</summary>
    private const int CopyStepBytes = 16 * 1024;

    /// <summary>Behind so many bytes of an event its stream's name ends at the latest.</summary>
    private const int MostBytesToName = FrameLayout.HeaderBytes + EventBody.FixedBytes + EventBody.OccurredBytes
        + StreamMetadata.PrefixBytes + Limits.MaxNameBytes;

    private int[] _ordinals = [];
    private long[] _revisions = [];
    private long[] _lastOfExpected = [];
    private StreamState[] _stateOfExpected = [];
    private StreamConflict? _ended;
    private int _lastEvent;
    private int _count;

    /// <summary>The revisions of the batch last numbered, one an event.</summary>
    public ReadOnlySpan<long> Revisions => _revisions.AsSpan(0, _count);

    /// <summary>Copies the batch to where it goes and numbers it there, or answers what stands against it; then no stream has changed.</summary>
    /// <remarks>A batch is larger than the nearest caches: each event is looked at when copying has brought it there. Not its copy: what was just stored in large
    /// words is slow to read in small ones.</remarks>
    /// <param name="batch">The batch, not stamped.</param>
    /// <param name="target">Where it goes.</param>
    /// <param name="expected">What it expects of streams.</param>
    /// <exception cref="SegmentDamagedException">What the look-up of a stream rests on does not verify; no stream has changed.</exception>
    public StreamConflict? Number(ReadOnlySpan<byte> batch, Span<byte> target, StreamExpectations expected)
    {
        var known = streams.Count;
        (_count, _ended) = (0, null);
        for (var (at, copied) = (0, 0); ;)
        {
            // Step by step, so that readers of streams wait for one step at the most.
            lock (streams.Gate)
            {
                try
                {
                    var step = Math.Min(CopyStepBytes, batch.Length - copied);
                    batch.Slice(copied, step).CopyTo(target[copied..]);
                    copied += step;
                    at = Resolve(batch[..copied], at, isWhole: copied == batch.Length);
                    if (copied < batch.Length)
                    {
                        continue;
                    }

                    if ((_ended ?? (expected.Count > 0 ? Conflict(expected) : null)) is { } conflict)
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

                streams.Add(_ordinals.AsSpan(0, _count), _revisions);

                // Only the last event of a batch can say anything of its stream.
                streams.SetState(_ordinals[_count - 1], StreamStates.Of((FrameTraits)batch[_lastEvent + FrameLayout.Traits]));
                return null;
            }
        }
    }

    /// <summary>Finds the streams of the events from an offset on whose names are there, beginning those that have no event in this segment yet;
    /// answers the offset of the event behind.</summary>
    /// <remarks>Not inlined: beside a try block the loop's variables would live in memory.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Resolve(ReadOnlySpan<byte> frames, int at, bool isWhole)
    {
        var end = isWhole ? frames.Length : frames.Length - MostBytesToName;
        var count = _count;
        var ordinals = _ordinals;
        ReadOnlySpan<byte> lastName = default;
        for (var ordinal = -1; at < end; count++)
        {
            if (count == ordinals.Length)
            {
                Array.Resize(ref _ordinals, Math.Max(64, 2 * count));
                Array.Resize(ref _revisions, _ordinals.Length);
                ordinals = _ordinals;
            }

            var frame = frames[at..];
            var name = EventBody.StreamOf(frame);
            if (ordinal < 0 || !name.SequenceEqual(lastName))
            {
                var hash = BinaryPrimitives.ReadUInt32LittleEndian(frame[FrameLayout.StreamHash..]);
                ordinal = streams.Find(hash, name);
                if (ordinal < 0)
                {
                    ordinal = Begin(hash, name);
                }

                lastName = name;
                if (streams.StateOf(ordinal) == StreamState.Tombstoned)
                {
                    _ended ??= StreamConflict.Ended(Encoding.UTF8.GetString(name), streams.LastRevision(ordinal));
                }
            }

            ordinals[count] = ordinal;
            _lastEvent = at;
            at += FrameLayout.Padded(BinaryPrimitives.ReadInt32LittleEndian(frame[FrameLayout.Length..]));
        }

        _count = count;
        return at;
    }

    private int Begin(uint hash, ReadOnlySpan<byte> name)
    {
        var head = before.Find(new StreamName(name));
        var ordinal = streams.Begin(hash, name, head is { } h ? h.Revision + 1 : 0, head?.Position ?? -1);
        streams.SetState(ordinal, head?.State ?? StreamState.Live);
        return ordinal;
    }

    private StreamConflict? Conflict(StreamExpectations expected)
    {
        if (_lastOfExpected.Length < expected.Count)
        {
            _lastOfExpected = new long[expected.Count];
            _stateOfExpected = new StreamState[expected.Count];
        }

        for (var i = 0; i < expected.Count; i++)
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
