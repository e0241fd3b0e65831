using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace KawaOrleans.Format;

/// <summary>What the bytes at a place turned out to be.</summary>
public enum FrameStatus
{
    /// <summary>A whole frame with a right checksum.</summary>
    Whole,

    /// <summary>Length zero: nothing was written here.</summary>
    Nothing,

    /// <summary>A length that no frame has, or one that reaches beyond the bytes at hand.</summary>
    BadLength,

    /// <summary>The checksum does not match: torn, rotted, or written for another place.</summary>
    BadChecksum,

    /// <summary>Right checksum, but of a kind or with flags that this version does not know.</summary>
    Unknown,
}

/// <summary>One frame, as a view of bytes that stay where they are. Valid as long as those bytes are.</summary>
public readonly ref struct Frame
{
    private const int KnownTraits = (int)(FrameTraits.LastOfBatch | FrameTraits.HasOccurred | FrameTraits.DeletesStream | FrameTraits.EndsStream);

    internal Frame(ReadOnlySpan<byte> bytes, long offset)
    {
        Bytes = bytes;
        Offset = offset;
    }

    /// <summary>Header, body and padding.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Where the frame lies in its file.</summary>
    public long Offset { get; }

    /// <summary>The offset behind the frame.</summary>
    public long End => Offset + Bytes.Length;

    /// <summary>What the frame holds.</summary>
    public FrameKind Kind => (FrameKind)Bytes[FrameLayout.Kind];

    /// <summary>Flags of an event.</summary>
    public FrameTraits Traits => (FrameTraits)Bytes[FrameLayout.Traits];

    /// <summary>The offset at which the frame's write group begins.</summary>
    public long GroupStart =>
        Offset - ((long)BinaryPrimitives.ReadUInt32LittleEndian(Bytes[FrameLayout.GroupDistance..]) * FrameLayout.Alignment);

    /// <summary>The position, counted from the segment's base. Of a checkpoint or footer: the position that comes next.</summary>
    public uint RelativePosition => BinaryPrimitives.ReadUInt32LittleEndian(Bytes[FrameLayout.RelativePosition..]);

    /// <summary>The event's number in its stream, −1 in a frame that is no event.</summary>
    public long Revision => BinaryPrimitives.ReadInt64LittleEndian(Bytes[FrameLayout.Revision..]);

    /// <summary>The writer's clock: UTC ticks of 100 ns.</summary>
    public long Timestamp => BinaryPrimitives.ReadInt64LittleEndian(Bytes[FrameLayout.Timestamp..]);

    /// <summary>The low half of XXH3 over the stream's name.</summary>
    public uint StreamHash => BinaryPrimitives.ReadUInt32LittleEndian(Bytes[FrameLayout.StreamHash..]);

    /// <summary>The body, without padding.</summary>
    public ReadOnlySpan<byte> Body => Bytes[FrameLayout.HeaderBytes..BinaryPrimitives.ReadInt32LittleEndian(Bytes[FrameLayout.Length..])];

    /// <summary>How many positions the frame takes: 1 for an event, n for a gap, 0 otherwise.</summary>
    public long Positions => Kind == FrameKind.Event ? 1 : PositionsOfOther(Bytes);

    internal uint StoredChecksum => BinaryPrimitives.ReadUInt32LittleEndian(Bytes[FrameLayout.Checksum..]);

    /// <summary>Reads the frame that begins with <paramref name="bytes"/>, which lie at <paramref name="offset"/> of
    /// <paramref name="segment"/>'s file, and verifies it. Never reads beyond <paramref name="bytes"/>, never throws.</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> bytes, long offset, SegmentIdentity segment, out Frame frame) =>
        TryRead(bytes, offset, segment.ChecksumKey, out frame);

    /// <remarks>Inlined into its loops, with what is rare in calls that get bytes and not the frame: so the frame stays in registers.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FrameStatus TryRead(ReadOnlySpan<byte> bytes, long offset, uint segmentKey, out Frame frame)
    {
        if (bytes.Length < FrameLayout.HeaderBytes)
        {
            frame = default;
            return OfShort(bytes);
        }

        var header = bytes[..FrameLayout.HeaderBytes];
        var length = BinaryPrimitives.ReadInt32LittleEndian(header[FrameLayout.Length..]);

        // Unchecked: a length near the greatest int wraps to a negative one, which no frame has.
        var padded = unchecked(length + (FrameLayout.Alignment - 1)) & ~(FrameLayout.Alignment - 1);
        if (length < FrameLayout.HeaderBytes || padded < FrameLayout.HeaderBytes || padded > bytes.Length)
        {
            frame = default;
            return length == 0 ? FrameStatus.Nothing : FrameStatus.BadLength;
        }

        bytes = bytes[..padded];
        frame = new Frame(bytes, offset);
        if (Checksum.At(segmentKey, offset, header, Checksum.OfEncoded(bytes)) != BinaryPrimitives.ReadUInt32LittleEndian(header[FrameLayout.Checksum..]))
        {
            return FrameStatus.BadChecksum;
        }

        return header[FrameLayout.Kind] == (byte)FrameKind.Event && (header[FrameLayout.Traits] & ~KnownTraits) == 0 ? FrameStatus.Whole : OfOther(bytes);
    }

    private static FrameStatus OfShort(ReadOnlySpan<byte> bytes) =>
        bytes.ContainsAnyExcept((byte)0) ? FrameStatus.BadLength : FrameStatus.Nothing;

    private static FrameStatus OfOther(ReadOnlySpan<byte> frame)
    {
        var kind = (FrameKind)frame[FrameLayout.Kind];
        var known = kind switch
        {
            FrameKind.Event => false,
            FrameKind.Gap => BinaryPrimitives.ReadInt32LittleEndian(frame[FrameLayout.Length..]) >= FrameLayout.HeaderBytes + sizeof(uint),
            FrameKind.Checkpoint or FrameKind.Footer => true,
            _ => (kind & FrameKind.Skippable) != 0,
        };
        return known ? FrameStatus.Whole : FrameStatus.Unknown;
    }

    private static long PositionsOfOther(ReadOnlySpan<byte> frame) =>
        (FrameKind)frame[FrameLayout.Kind] == FrameKind.Gap ? BinaryPrimitives.ReadUInt32LittleEndian(frame[FrameLayout.HeaderBytes..]) : 0;
}
