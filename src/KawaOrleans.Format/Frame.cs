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
    public long Positions => Kind switch
    {
        FrameKind.Event => 1,
        FrameKind.Gap => BinaryPrimitives.ReadUInt32LittleEndian(Body),
        _ => 0,
    };

    internal uint StoredChecksum => BinaryPrimitives.ReadUInt32LittleEndian(Bytes[FrameLayout.Checksum..]);

    /// <summary>Reads the frame that begins with <paramref name="bytes"/>, which lie at <paramref name="offset"/> of
    /// <paramref name="segment"/>'s file, and verifies it. Never reads beyond <paramref name="bytes"/>, never throws.</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> bytes, long offset, SegmentIdentity segment, out Frame frame) =>
        TryRead(bytes, offset, segment.ChecksumKey, out frame);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FrameStatus TryRead(ReadOnlySpan<byte> bytes, long offset, uint segmentKey, out Frame frame)
    {
        frame = default;
        if (bytes.Length < FrameLayout.HeaderBytes)
        {
            return bytes.ContainsAnyExcept((byte)0) ? FrameStatus.BadLength : FrameStatus.Nothing;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[FrameLayout.Length..]);
        if (length < FrameLayout.HeaderBytes || length > bytes.Length)
        {
            return length == 0 ? FrameStatus.Nothing : FrameStatus.BadLength;
        }

        // Unchecked: a length near the greatest int wraps to a negative one, which no frame has.
        var padded = unchecked(length + (FrameLayout.Alignment - 1)) & ~(FrameLayout.Alignment - 1);
        if (padded < length || padded > bytes.Length)
        {
            return FrameStatus.BadLength;
        }

        bytes = bytes[..padded];
        if (Checksum.At(segmentKey, offset, bytes, Checksum.OfEncoded(bytes)) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[FrameLayout.Checksum..]))
        {
            return FrameStatus.BadChecksum;
        }

        frame = new Frame(bytes, offset);
        return frame.IsKnown() ? FrameStatus.Whole : FrameStatus.Unknown;
    }

    private bool IsKnown() => Kind switch
    {
        FrameKind.Event => (Bytes[FrameLayout.Traits] & ~3) == 0,
        FrameKind.Gap => Body.Length >= sizeof(uint),
        FrameKind.Checkpoint or FrameKind.Footer => true,
        _ => (Kind & FrameKind.Skippable) != 0,
    };
}
