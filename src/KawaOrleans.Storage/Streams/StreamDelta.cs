using System.Buffers.Binary;

namespace KawaOrleans.Storage.Streams;

/// <summary>What a checkpoint says of streams (docs/FORMAT.md, "Body of a checkpoint"): those that begin in the frames before it, and for each
/// stream that has events there, how many and where. Kept as encoded; where the events lie is decoded when first asked for.</summary>
/// <remarks>So streams are known again in a time that depends on their number and not on the number of events, and an event costs 1 to 3 bytes.</remarks>
/// <param name="encoded">The bytes.</param>
/// <param name="first">The relative position of the first of the events.</param>
/// <param name="events">How many events.</param>
/// <param name="path">The file, for errors.</param>
/// <param name="offset">Where the checkpoint lies, for errors.</param>
internal sealed class StreamDelta(ReadOnlyMemory<byte> encoded, uint first, int events, string path, long offset)
{
    private const int FixedBytes = 8;
    private const int HashBytes = sizeof(uint);

    private Table? _table;

    /// <summary>The relative position of the first of the events.</summary>
    public uint First => first;

    /// <summary>How many events.</summary>
    public int Events => events;

    public ReadOnlySpan<byte> Encoded => encoded.Span;

    /// <summary>An upper bound of what a delta takes.</summary>
    /// <param name="begunBytes">The sum of <see cref="BytesOf"/> of the streams that begin.</param>
    /// <param name="begun">How many begin.</param>
    /// <param name="groups">How many streams have events.</param>
    /// <param name="streams">How many streams there are.</param>
    /// <param name="events">How many events.</param>
    public static long MaxBytes(long begunBytes, int begun, int groups, int streams, int events)
    {
        var positionBytes = Varint.BytesOf((ulong)events);

        // The counts of all groups add up to the events: one byte each, and one for every 128 events at the most.
        return FixedBytes + begunBytes + ((long)begun * positionBytes) + (groups * (Varint.BytesOf((ulong)streams) + 1L)) + (events / 128) + ((long)events * positionBytes);
    }

    /// <summary>How many bytes one new stream takes, without its first position.</summary>
    public static int BytesOf(long firstRevision) => HashBytes + Varint.BytesOf((ulong)firstRevision);

    /// <summary>Encodes a delta; answers its length.</summary>
    /// <param name="body">Room for <see cref="MaxBytes"/>.</param>
    /// <param name="begun">The streams that begin, in the order of their ordinals.</param>
    /// <param name="groups">The events.</param>
    /// <param name="first">The relative position of the first of them.</param>
    public static int Write(Span<byte> body, ReadOnlySpan<BegunStream> begun, StreamGroups groups, uint first)
    {
        BinaryPrimitives.WriteInt32LittleEndian(body, begun.Length);
        BinaryPrimitives.WriteInt32LittleEndian(body[4..], groups.Count);
        var at = FixedBytes;
        var last = first;
        foreach (var stream in begun)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(body[at..], stream.Hash);
            at += HashBytes;
            at += Varint.Write(body[at..], (ulong)stream.FirstRevision);
            at += Varint.Write(body[at..], stream.First - last);
            last = stream.First;
        }

        for (var (i, next) = (0, 0); i < groups.Count; next = groups.Ordinal(i++) + 1)
        {
            at += Varint.Write(body[at..], (ulong)(groups.Ordinal(i) - next));
            at += Varint.Write(body[at..], (ulong)groups.Positions(i).Length);
        }

        for (var i = 0; i < groups.Count; i++)
        {
            last = first;
            foreach (var position in groups.Positions(i))
            {
                at += Varint.Write(body[at..], position - last);
                last = position;
            }
        }

        return at;
    }

    /// <summary>Reads the streams that begin and those that have events; false when the bytes are no delta of so many events.</summary>
    /// <param name="known">How many streams were known before.</param>
    /// <param name="begin">Takes each stream that begins.</param>
    /// <param name="add">Takes the ordinal of each stream that has events, and how many.</param>
    public bool TryRead(int known, Action<BegunStream> begin, Action<int, int> add)
    {
        if (!ReadBegun(begin, out var at))
        {
            return false;
        }

        var streams = known + (long)BinaryPrimitives.ReadInt32LittleEndian(encoded.Span);
        var begun = 0;
        return ReadGroups(ref at, streams, (ordinal, count) =>
        {
            begun += ordinal >= known ? 1 : 0;
            add(ordinal, count);
        }) && begun == streams - known;
    }

    /// <summary>How many events of a stream.</summary>
    public int EventsOf(int ordinal) => Find(ordinal) is var index and >= 0 ? _table!.Counts[index] : 0;

    /// <summary>Copies the relative positions of events of a stream that has so many, from an index on.</summary>
    /// <exception cref="SegmentDamagedException">The delta does not add up.</exception>
    public void Copy(int ordinal, int from, Span<uint> target)
    {
        var index = Find(ordinal);
        var body = encoded.Span;
        var at = _table!.Starts[index];
        var position = (ulong)first;
        for (var i = 0; i < from + target.Length; i++)
        {
            if (!Varint.TryRead(body, ref at, out var distance) || (position += distance) >= first + (ulong)events)
            {
                throw Contradiction();
            }

            if (i >= from)
            {
                target[i - from] = (uint)position;
            }
        }
    }

    private int Find(int ordinal)
    {
        _table ??= ReadTable();
        return Array.BinarySearch(_table.Ordinals, ordinal);
    }

    private Table ReadTable()
    {
        var ordinals = new List<int>();
        var counts = new List<int>();
        if (!ReadBegun(static _ => { }, out var at) || !ReadGroups(ref at, int.MaxValue, (ordinal, count) =>
        {
            ordinals.Add(ordinal);
            counts.Add(count);
        }))
        {
            throw Contradiction();
        }

        var starts = new int[counts.Count];
        for (var i = 0; i < starts.Length; i++)
        {
            starts[i] = at;
            for (var left = counts[i]; left > 0; left--)
            {
                if (!Varint.TryRead(encoded.Span, ref at, out _))
                {
                    throw Contradiction();
                }
            }
        }

        return new Table([.. ordinals], [.. counts], starts);
    }

    /// <summary>Reads the streams that begin; answers where they end, or false when they are not whole.</summary>
    private bool ReadBegun(Action<BegunStream> begin, out int at)
    {
        var body = encoded.Span;
        at = FixedBytes;
        if (body.Length < FixedBytes
            || BinaryPrimitives.ReadInt32LittleEndian(body) is var count && (count < 0 || count > BinaryPrimitives.ReadInt32LittleEndian(body[4..])))
        {
            return false;
        }

        for (var position = (ulong)first; count > 0; count--)
        {
            if (body.Length - at < HashBytes)
            {
                return false;
            }

            var hash = BinaryPrimitives.ReadUInt32LittleEndian(body[at..]);
            at += HashBytes;
            if (!Varint.TryRead(body, ref at, out var revision) || revision > long.MaxValue
                || !Varint.TryRead(body, ref at, out var distance) || distance >= (ulong)events || (position += distance) >= first + (ulong)events)
            {
                return false;
            }

            begin(new BegunStream(hash, (long)revision, (uint)position));
        }

        return true;
    }

    /// <summary>Reads how many events which streams have; false when they are not whole, or not so many streams, or other than the events.</summary>
    private bool ReadGroups(ref int at, long streams, Action<int, int> add)
    {
        var body = encoded.Span;
        var (next, left) = (0L, (ulong)events);
        for (var groups = BinaryPrimitives.ReadInt32LittleEndian(body[4..]); groups > 0; groups--)
        {
            if (!Varint.TryRead(body, ref at, out var gap) || gap >= (ulong)(streams - next)
                || !Varint.TryRead(body, ref at, out var count) || count == 0 || count > left)
            {
                return false;
            }

            next += (long)gap + 1;
            left -= count;
            add((int)next - 1, (int)count);
        }

        return left == 0;
    }

    private SegmentDamagedException Contradiction() => new(path, offset, "a checkpoint contradicts itself");

    /// <summary>The streams that have events, how many each, and where the positions of each begin in the bytes.</summary>
    private sealed record Table(int[] Ordinals, int[] Counts, int[] Starts);
}
