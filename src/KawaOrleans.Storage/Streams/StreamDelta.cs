using System.Buffers.Binary;

namespace KawaOrleans.Storage.Streams;

/// <summary>What a checkpoint says of streams: those that appeared since the one before, and which stream each event belongs to. So the
/// streams of a segment are known again without reading its frames.</summary>
internal sealed class StreamDelta
{
    private const int HashBytes = sizeof(uint);

    private readonly IReadOnlyList<(uint Hash, long FirstRevision)> _begun;
    private readonly IReadOnlyList<int> _ordinals;

    private StreamDelta(IReadOnlyList<(uint Hash, long FirstRevision)> begun, IReadOnlyList<int> ordinals)
    {
        _begun = begun;
        _ordinals = ordinals;
    }

    /// <summary>Of no event.</summary>
    public static StreamDelta None { get; } = new([], []);

    /// <summary>An upper bound of what is written of the events and streams that no checkpoint covers.</summary>
    public static long MaxBytes(OpenStreams streams) =>
        HashBytes + streams.UncoveredStreamBytes + ((long)streams.Uncovered.Count * Varint.BytesOf((ulong)streams.Count));

    /// <summary>The events and streams that no checkpoint covers.</summary>
    public static StreamDelta Of(OpenStreams streams)
    {
        var begun = new (uint Hash, long FirstRevision)[streams.Count - streams.CoveredStreams];
        for (var i = 0; i < begun.Length; i++)
        {
            var ordinal = streams.CoveredStreams + i;
            begun[i] = (streams.HashOf(ordinal), streams.FirstRevision(ordinal));
        }

        return new StreamDelta(begun, streams.Uncovered);
    }

    /// <summary>How many bytes of a checkpoint one new stream takes.</summary>
    public static int BytesOf(long firstRevision) => HashBytes + Varint.BytesOf((ulong)firstRevision);

    /// <summary>Reads the delta of so many events; null when it is not whole.</summary>
    public static StreamDelta? TryRead(ReadOnlySpan<byte> body, int events)
    {
        if (body.Length < sizeof(int) || BinaryPrimitives.ReadInt32LittleEndian(body) is var count && (count < 0 || count > events))
        {
            return null;
        }

        var at = sizeof(int);
        var begun = new (uint Hash, long FirstRevision)[count];
        for (var i = 0; i < count; i++)
        {
            if (body.Length - at < HashBytes)
            {
                return null;
            }

            var hash = BinaryPrimitives.ReadUInt32LittleEndian(body[at..]);
            at += HashBytes;
            if (!Varint.TryRead(body, ref at, out var revision) || revision > long.MaxValue)
            {
                return null;
            }

            begun[i] = (hash, (long)revision);
        }

        var ordinals = new int[events];
        for (var i = 0; i < events; i++)
        {
            if (!Varint.TryRead(body, ref at, out var ordinal) || ordinal > int.MaxValue)
            {
                return null;
            }

            ordinals[i] = (int)ordinal;
        }

        return new StreamDelta(begun, ordinals);
    }

    /// <summary>Writes the delta; answers its length.</summary>
    public int Write(Span<byte> body)
    {
        BinaryPrimitives.WriteInt32LittleEndian(body, _begun.Count);
        var at = sizeof(int);
        for (var i = 0; i < _begun.Count; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(body[at..], _begun[i].Hash);
            at += HashBytes;
            at += Varint.Write(body[at..], (ulong)_begun[i].FirstRevision);
        }

        for (var i = 0; i < _ordinals.Count; i++)
        {
            at += Varint.Write(body[at..], (ulong)_ordinals[i]);
        }

        return at;
    }

    /// <summary>Adds what it says to streams that know all of what came before; false when it contradicts itself or them.</summary>
    /// <param name="streams">The streams.</param>
    /// <param name="relativePosition">The position of the first event.</param>
    public bool TryRestore(OpenStreams streams, uint relativePosition)
    {
        var begun = 0;
        for (var i = 0; i < _ordinals.Count; i++)
        {
            if (_ordinals[i] == streams.Count && begun < _begun.Count)
            {
                streams.Begin(_begun[begun].Hash, name: [], _begun[begun].FirstRevision, OpenStreams.NotKnown);
                begun++;
            }

            if (_ordinals[i] >= streams.Count)
            {
                return false;
            }

            streams.Add(_ordinals[i], relativePosition + (uint)i);
        }

        streams.Covered();
        return begun == _begun.Count;
    }

    /// <summary>True when both say the same.</summary>
    public bool Says(StreamDelta other) => _begun.SequenceEqual(other._begun) && _ordinals.SequenceEqual(other._ordinals);
}
