using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>What a sealed segment knows of itself: bounds of time and where every sixteenth event lies.</summary>
internal sealed record Footer
{
    public const int Interval = 16;

    private const int BoundsTag = 1;
    private const int SparseTag = 2;
    private const int BoundsBytes = 48;
    private const int SectionHeaderBytes = 8;

    public required SegmentBounds Bounds { get; init; }

    /// <summary>Offsets / 8 of the frames of relative positions 0, 16, 32 …</summary>
    public required uint[] Sparse { get; init; }

    /// <summary>The offset of the nearest listed frame at or before a relative position.</summary>
    public long OffsetAtOrBefore(long relative) => (long)Sparse[Math.Min(relative / Interval, Sparse.Length - 1)] << 3;

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

        return TryRead(map.Span(end, (int)(map.Length - end)), segmentKey, end);
    }

    /// <summary>Reads the footer that begins with these bytes; null when they are none or not whole.</summary>
    public static Footer? TryRead(ReadOnlySpan<byte> bytes, uint segmentKey, long end)
    {
        if (Frame.TryRead(bytes, end, segmentKey, out var frame) != FrameStatus.Whole || frame.Kind != FrameKind.Footer)
        {
            return null;
        }

        SegmentBounds? bounds = null;
        uint[]? sparse = null;
        for (var rest = frame.Body; rest.Length >= SectionHeaderBytes;)
        {
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
                case SparseTag:
                    sparse = ReadSparse(section);
                    break;
            }

            rest = rest[Math.Min(rest.Length, SectionHeaderBytes + FrameLayout.Padded(length))..];
        }

        return bounds is { } b && sparse is not null ? new Footer { Bounds = b, Sparse = sparse } : null;
    }

    /// <summary>Builds the footer from the frames, verifying each.</summary>
    /// <exception cref="SegmentDamagedException">A frame does not verify.</exception>
    public static Footer Build(IFileMap map, string path, uint segmentKey, long end)
    {
        var sparse = new List<uint>();
        var bounds = SegmentBounds.None;
        var next = 0L;
        for (var offset = FileLayout.FirstFrame; offset < end;)
        {
            var status = Frame.TryRead(map.Span(offset, (int)Math.Min(int.MaxValue, end - offset)), offset, segmentKey, out var frame);
            if (status != FrameStatus.Whole || frame.RelativePosition != next)
            {
                throw new SegmentDamagedException(path, offset, status == FrameStatus.Whole ? $"position {frame.RelativePosition} where {next} comes next" : status.ToString());
            }

            for (var positions = frame.Positions; positions > 0; positions--, next++)
            {
                if (next % Interval == 0)
                {
                    sparse.Add((uint)(offset >> 3));
                }
            }

            if (EventFrame.TryOpen(frame, 0, out var opened))
            {
                bounds = bounds.With(opened);
            }

            offset = frame.End;
        }

        GC.KeepAlive(map);
        return new Footer { Bounds = bounds, Sparse = [.. sparse] };
    }

    /// <summary>The footer as a frame that lies at <paramref name="end"/>.</summary>
    public byte[] Encode(uint segmentKey, long end, long positions)
    {
        var sparseBytes = 8 + (4 * Sparse.Length);
        var body = new byte[(2 * SectionHeaderBytes) + BoundsBytes + FrameLayout.Padded(sparseBytes)];
        var s = body.AsSpan();
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
        BinaryPrimitives.WriteInt32LittleEndian(s[12..], Sparse.Length);
        for (var i = 0; i < Sparse.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(s[(16 + (4 * i))..], Sparse[i]);
        }

        var frame = new byte[FrameLayout.Padded(FrameLayout.HeaderBytes + body.Length)];
        body.CopyTo(frame, FrameLayout.HeaderBytes);
        FrameStamp.Other(frame, FrameKind.Footer, body.Length, segmentKey, end, end, (uint)positions, Bounds.LastRecorded);
        return frame;
    }

    private static SegmentBounds ReadBounds(ReadOnlySpan<byte> s) => new(
        BinaryPrimitives.ReadInt64LittleEndian(s),
        BinaryPrimitives.ReadInt64LittleEndian(s[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(s[16..]),
        BinaryPrimitives.ReadInt64LittleEndian(s[24..]),
        BinaryPrimitives.ReadInt64LittleEndian(s[32..]),
        BinaryPrimitives.ReadInt64LittleEndian(s[40..]));

    private static uint[]? ReadSparse(ReadOnlySpan<byte> s)
    {
        if (s.Length < 8 || BinaryPrimitives.ReadInt32LittleEndian(s) != Interval || BinaryPrimitives.ReadInt32LittleEndian(s[4..]) != (s.Length - 8) / 4)
        {
            return null;
        }

        var sparse = new uint[(s.Length - 8) / 4];
        for (var i = 0; i < sparse.Length; i++)
        {
            sparse[i] = BinaryPrimitives.ReadUInt32LittleEndian(s[(8 + (4 * i))..]);
        }

        return sparse;
    }
}
