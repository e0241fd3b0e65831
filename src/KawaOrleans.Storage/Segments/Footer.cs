using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>What a sealed segment knows of itself: bounds of time, where every sixteenth event lies, and its streams.</summary>
internal sealed record Footer
{
    public const int Interval = 16;

    private const int BoundsTag = 1;
    private const int SparseTag = 2;
    private const int StreamsTag = 3;
    private const int BoundsBytes = 48;
    private const int SectionHeaderBytes = 8;
    private const int SparseHeaderBytes = 8;
    private const int SparseEntryBytes = 4;

    public required SegmentBounds Bounds { get; init; }

    /// <summary>Offsets / 8 of the frames of relative positions 0, 16, 32 …, 4 bytes each. Of a footer that was read they stay where they lie: a copy would
    /// be most of what a sealed segment takes in memory.</summary>
    public required ReadOnlyMemory<byte> Sparse { get; init; }

    /// <summary>A <see cref="StreamSection"/>.</summary>
    public required ReadOnlyMemory<byte> Streams { get; init; }

    /// <summary>The most bytes a footer takes for so many events.</summary>
    public static long MostBytes(long events)
    {
        // What a damaged sector says of itself may be anything; a segment has 32 bits of positions.
        events = Math.Clamp(events, 0, uint.MaxValue);
        return (events / 4) + FileLayout.PageBytes + StreamSection.MostBytes(events);
    }

    /// <summary>The offset of the nearest listed frame at or before a relative position.</summary>
    public long OffsetAtOrBefore(long relative) =>
        (long)BinaryPrimitives.ReadUInt32LittleEndian(Sparse.Span[(int)(SparseEntryBytes * Math.Min(relative / Interval, (Sparse.Length / SparseEntryBytes) - 1))..]) << 3;

    /// <summary>True when a footer was begun at the end of a sealed segment, whole or not. The sealing was synced before.</summary>
    public static bool BeginsAt(IVolumeFile file, long end)
    {
        Span<byte> header = stackalloc byte[FrameLayout.HeaderBytes];
        return file.Read(end, header) == header.Length && header[FrameLayout.Kind] == (byte)FrameKind.Footer;
    }

    /// <summary>Reads the footer behind the end of a sealed segment; null when it is missing or not whole: it can be rebuilt.</summary>
    public static Footer? TryRead(IFileMap map, uint segmentKey, long end)
    {
        if (end >= map.Length || map.Length - end > int.MaxValue)
        {
            return null;
        }

        return TryRead(map.Memory(end, (int)(map.Length - end)), segmentKey, end);
    }

    /// <summary>Reads the footer that begins with these bytes; null when they are none or not whole.</summary>
    public static Footer? TryRead(ReadOnlyMemory<byte> bytes, uint segmentKey, long end)
    {
        if (Frame.TryRead(bytes.Span, end, segmentKey, out var frame) != FrameStatus.Whole || frame.Kind != FrameKind.Footer)
        {
            return null;
        }

        SegmentBounds? bounds = null;
        ReadOnlyMemory<byte>? sparse = null;
        ReadOnlyMemory<byte>? streams = null;
        for (var rest = frame.Body; rest.Length >= SectionHeaderBytes;)
        {
            var at = FrameLayout.HeaderBytes + frame.Body.Length - rest.Length;
            var tag = BinaryPrimitives.ReadInt32LittleEndian(rest);
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest[4..]);
            if (length < 0 || length > rest.Length - SectionHeaderBytes)
            {
                return null;
            }

            var section = rest.Slice(SectionHeaderBytes, length);
            switch (tag)
            {
                case BoundsTag when length == BoundsBytes:
                    bounds = ReadBounds(section);
                    break;
                case SparseTag when IsSparse(section):
                    sparse = bytes.Slice(at + SectionHeaderBytes + SparseHeaderBytes, length - SparseHeaderBytes);
                    break;
                case StreamsTag when StreamSection.TryOpen(section, out _):
                    streams = bytes.Slice(at + SectionHeaderBytes, length);
                    break;
            }

            rest = rest[Math.Min(rest.Length, SectionHeaderBytes + FrameLayout.Padded(length))..];
        }

        return bounds is { } b && sparse is { } listed && streams is { } s ? new Footer { Bounds = b, Sparse = listed, Streams = s } : null;
    }

    /// <summary>Builds the footer from the frames, verifying each.</summary>
    /// <param name="map">The segment.</param>
    /// <param name="path">Its file.</param>
    /// <param name="segmentKey">Its key.</param>
    /// <param name="end">Where its frames end.</param>
    /// <param name="events">How many it has at the most.</param>
    /// <param name="before">The heads of streams before it, if they are at hand.</param>
    /// <exception cref="SegmentDamagedException">A frame does not verify.</exception>
    public static Footer Build(IFileMap map, string path, uint segmentKey, long end, long events, IStreamHeads? before)
    {
        var draft = new FooterDraft(before, (int)Math.Min(events, end / FrameLayout.HeaderBytes));
        for (var offset = FileLayout.FirstFrame; offset < end;)
        {
            var status = Frame.TryRead(map.Span(offset, (int)Math.Min(int.MaxValue, end - offset)), offset, segmentKey, out var frame);
            if (status != FrameStatus.Whole || frame.RelativePosition != draft.Next)
            {
                throw new SegmentDamagedException(path, offset, status == FrameStatus.Whole ? $"position {frame.RelativePosition} where {draft.Next} comes next" : status.ToString());
            }

            if (draft.Take(frame) is { } reason)
            {
                throw new SegmentDamagedException(path, offset, reason);
            }

            offset = frame.End;
        }

        GC.KeepAlive(map);
        return draft.ToFooter();
    }

    /// <summary>True when both say the same of the segment; what lay before it may be known to one of them only.</summary>
    public bool SaysTheSame(Footer other) =>
        Bounds == other.Bounds && Sparse.Span.SequenceEqual(other.Sparse.Span) && StreamSection.SayTheSame(Streams.Span, other.Streams.Span);

    /// <summary>The footer as a frame that lies at <paramref name="end"/>.</summary>
    public byte[] Encode(uint segmentKey, long end, long positions)
    {
        var sparseBytes = SparseHeaderBytes + Sparse.Length;
        var bodyBytes = (3 * SectionHeaderBytes) + BoundsBytes + FrameLayout.Padded(sparseBytes) + Streams.Length;
        var frame = new byte[FrameLayout.Padded(FrameLayout.HeaderBytes + bodyBytes)];
        var s = frame.AsSpan(FrameLayout.HeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(s, BoundsTag);
        BinaryPrimitives.WriteInt32LittleEndian(s[4..], BoundsBytes);
        BinaryPrimitives.WriteInt64LittleEndian(s[8..], Bounds.Events);
        BinaryPrimitives.WriteInt64LittleEndian(s[16..], Bounds.FirstRecorded);
        BinaryPrimitives.WriteInt64LittleEndian(s[24..], Bounds.LastRecorded);
        BinaryPrimitives.WriteInt64LittleEndian(s[32..], Bounds.WithOccurred);
        BinaryPrimitives.WriteInt64LittleEndian(s[40..], Bounds.LeastOccurred);
        BinaryPrimitives.WriteInt64LittleEndian(s[48..], Bounds.GreatestOccurred);
        s = s[(SectionHeaderBytes + BoundsBytes)..];
        BinaryPrimitives.WriteInt32LittleEndian(s, SparseTag);
        BinaryPrimitives.WriteInt32LittleEndian(s[4..], sparseBytes);
        BinaryPrimitives.WriteInt32LittleEndian(s[8..], Interval);
        BinaryPrimitives.WriteInt32LittleEndian(s[12..], Sparse.Length / SparseEntryBytes);
        Sparse.Span.CopyTo(s[16..]);

        s = s[(SectionHeaderBytes + FrameLayout.Padded(sparseBytes))..];
        BinaryPrimitives.WriteInt32LittleEndian(s, StreamsTag);
        BinaryPrimitives.WriteInt32LittleEndian(s[4..], Streams.Length);
        Streams.Span.CopyTo(s[SectionHeaderBytes..]);
        FrameStamp.Other(frame, FrameKind.Footer, bodyBytes, segmentKey, end, end, (uint)positions, Bounds.LastRecorded);
        return frame;
    }

    private static SegmentBounds ReadBounds(ReadOnlySpan<byte> s) => new(
        BinaryPrimitives.ReadInt64LittleEndian(s),
        BinaryPrimitives.ReadInt64LittleEndian(s[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(s[16..]),
        BinaryPrimitives.ReadInt64LittleEndian(s[24..]),
        BinaryPrimitives.ReadInt64LittleEndian(s[32..]),
        BinaryPrimitives.ReadInt64LittleEndian(s[40..]));

    private static bool IsSparse(ReadOnlySpan<byte> s) =>
        s.Length >= SparseHeaderBytes
        && BinaryPrimitives.ReadInt32LittleEndian(s) == Interval
        && (long)SparseEntryBytes * BinaryPrimitives.ReadInt32LittleEndian(s[4..]) == s.Length - SparseHeaderBytes;
}
