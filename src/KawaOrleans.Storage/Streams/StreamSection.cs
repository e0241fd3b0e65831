using System.Buffers.Binary;

namespace KawaOrleans.Storage.Streams;

/// <summary>The streams of a sealed segment, as its footer holds them (docs/FORMAT.md, "Body of a footer"): a filter, a table sorted by hash,
/// and where each event of each stream lies. Names lie in the frames only.</summary>
internal readonly ref struct StreamSection
{
    private const int FixedBytes = 8;
    private const int EntryBytes = 24;
    private const int PreviousAt = 16;

    private readonly ReadOnlySpan<byte> _filter;
    private readonly ReadOnlySpan<byte> _table;
    private readonly ReadOnlySpan<byte> _lists;

    private StreamSection(ReadOnlySpan<byte> filter, ReadOnlySpan<byte> table, ReadOnlySpan<byte> lists)
    {
        _filter = filter;
        _table = table;
        _lists = lists;
    }

    public int Count => _table.Length / EntryBytes;

    /// <summary>False when the bytes are no section.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> bytes, out StreamSection section)
    {
        section = default;
        if (bytes.Length < FixedBytes)
        {
            return false;
        }

        var (count, filterBytes) = (BinaryPrimitives.ReadUInt32LittleEndian(bytes), BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]));
        var tableBytes = (long)count * EntryBytes;
        if (FixedBytes + filterBytes + tableBytes > bytes.Length || !NameFilter.IsSize((int)Math.Min(filterBytes, int.MaxValue)))
        {
            return false;
        }

        var rest = bytes[(FixedBytes + (int)filterBytes)..];
        section = new StreamSection(bytes.Slice(FixedBytes, (int)filterBytes), rest[..(int)tableBytes], rest[(int)tableBytes..]);
        return true;
    }

    /// <summary>The most bytes a section takes for so many events.</summary>
    public static long MostBytes(long events) => FixedBytes + 128 + (events * (EntryBytes + 5 + 2));

    /// <summary>Encodes what is known of a segment's streams.</summary>
    /// <param name="streams">The streams.</param>
    /// <param name="fullHashOf">The whole hash of a stream's name, by its ordinal.</param>
    /// <param name="offsetOf">The offset of the frame of a stream's first event, by its ordinal.</param>
    public static byte[] Encode(OpenStreams streams, Func<int, ulong> fullHashOf, Func<int, long> offsetOf)
    {
        // No checkpoint covers any, so there is a group for each. Ordinals are in the order of first events, and so are those with one hash.
        var groups = streams.Gather();
        var order = new ulong[streams.Count];
        for (var ordinal = 0; ordinal < order.Length; ordinal++)
        {
            order[ordinal] = ((ulong)streams.HashOf(ordinal) << 32) | (uint)ordinal;
        }

        Array.Sort(order);
        var filterBytes = NameFilter.BytesFor(order.Length);
        var listsAt = checked(FixedBytes + filterBytes + (EntryBytes * order.Length));

        // In place: a section of a million streams is 25 MiB, and every copy of it as much.
        var section = new byte[checked(listsAt + ListBytes(groups))];
        BinaryPrimitives.WriteInt32LittleEndian(section, order.Length);
        BinaryPrimitives.WriteInt32LittleEndian(section.AsSpan(4), filterBytes);
        var filter = section.AsSpan(FixedBytes, filterBytes);
        var lists = section.AsSpan(listsAt);
        var listed = 0;
        for (var i = 0; i < order.Length; i++)
        {
            var ordinal = (int)(order[i] & uint.MaxValue);
            var entry = section.AsSpan(FixedBytes + filterBytes + (EntryBytes * i), EntryBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(entry, streams.HashOf(ordinal));
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], (uint)(offsetOf(ordinal) >> 3));
            BinaryPrimitives.WriteInt32LittleEndian(entry[8..], streams.Events(ordinal));
            BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], (uint)listed);
            BinaryPrimitives.WriteInt64LittleEndian(entry[PreviousAt..], streams.Previous(ordinal));
            NameFilter.Add(filter, fullHashOf(ordinal));
            listed += WriteList(lists[listed..], groups.Positions(ordinal));
        }

        return section;
    }

    /// <summary>The index of the first entry that may be the stream's; −1: none can be. Those behind it with the same hash may be too.</summary>
    public int FirstCandidate(StreamName name)
    {
        if (!NameFilter.MayContain(_filter, name.FullHash))
        {
            return -1;
        }

        var (low, high) = (0, Count);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (HashOf(middle) < name.Hash)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low < Count && HashOf(low) == name.Hash ? low : -1;
    }

    public uint HashOf(int index) => BinaryPrimitives.ReadUInt32LittleEndian(Entry(index));

    /// <summary>The offset of the stream's first event in the segment: its frame has the name and the first revision.</summary>
    public long FirstOffset(int index) => (long)BinaryPrimitives.ReadUInt32LittleEndian(Entry(index)[4..]) << 3;

    public int Events(int index) => BinaryPrimitives.ReadInt32LittleEndian(Entry(index)[8..]);

    /// <summary>The position of the stream's last event before the segment; −1: none; <see cref="OpenStreams.NotKnown"/>.</summary>
    public long Previous(int index) => BinaryPrimitives.ReadInt64LittleEndian(Entry(index)[PreviousAt..]);

    /// <summary>Copies the relative positions of the stream's events, from an index on, as many as the target takes.</summary>
    /// <param name="index">The entry.</param>
    /// <param name="first">The relative position of the first event.</param>
    /// <param name="from">The first event wanted, counted in the segment.</param>
    /// <param name="target">Where they go.</param>
    /// <returns>False when the list is not whole.</returns>
    public bool Positions(int index, uint first, int from, Span<uint> target)
    {
        var at = (int)BinaryPrimitives.ReadUInt32LittleEndian(Entry(index)[12..]);
        var position = first;
        for (var i = 0; i < from + target.Length; i++)
        {
            if (i > 0)
            {
                if (!Varint.TryRead(_lists, ref at, out var distance))
                {
                    return false;
                }

                position = unchecked(position + (uint)distance);
            }

            if (i >= from)
            {
                target[i - from] = position;
            }
        }

        return true;
    }

    /// <summary>True when both say the same of the segment; what lay before it may be known to one of them only.</summary>
    public static bool SayTheSame(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        if (!TryOpen(a, out var x) || !TryOpen(b, out var y) || x.Count != y.Count || !x._filter.SequenceEqual(y._filter) || !x._lists.SequenceEqual(y._lists))
        {
            return false;
        }

        for (var i = 0; i < x.Count; i++)
        {
            if (!x.Entry(i)[..PreviousAt].SequenceEqual(y.Entry(i)[..PreviousAt]))
            {
                return false;
            }
        }

        return true;
    }

    private static int ListBytes(StreamGroups groups)
    {
        var bytes = 0;
        for (var group = 0; group < groups.Count; group++)
        {
            var positions = groups.Positions(group);
            for (var i = 1; i < positions.Length; i++)
            {
                bytes += Varint.BytesOf(positions[i] - positions[i - 1]);
            }
        }

        return bytes;
    }

    private static int WriteList(Span<byte> lists, ReadOnlySpan<uint> positions)
    {
        var written = 0;
        for (var i = 1; i < positions.Length; i++)
        {
            written += Varint.Write(lists[written..], positions[i] - positions[i - 1]);
        }

        return written;
    }

    private ReadOnlySpan<byte> Entry(int index) => _table.Slice(EntryBytes * index, EntryBytes);
}
