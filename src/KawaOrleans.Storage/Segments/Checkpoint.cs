using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Segments;

/// <summary>A frame that bounds recovery: what lies before it was on disk before it was written.</summary>
internal sealed record Checkpoint
{
    private const int FixedBytes = 40;

    /// <summary>Its own offset.</summary>
    public required long CoveredOffset { get; init; }

    /// <summary>The checkpoint before it; 0: none.</summary>
    public required long Previous { get; init; }

    public required ulong ContentHash { get; init; }

    public required long LastTimestamp { get; init; }

    /// <summary>How many event frames there are since the checkpoint before.</summary>
    public required int Events { get; init; }

    /// <summary>Their padded lengths, as <see cref="TryReadLength"/> reads them.</summary>
    public required ReadOnlyMemory<byte> Lengths { get; init; }

    /// <summary>The streams of those events, as <see cref="StreamDelta"/> reads them.</summary>
    public required ReadOnlyMemory<byte> Streams { get; init; }

    /// <summary>An upper bound of what so many lengths take for so many bytes of frames: a length below 1 KiB takes one byte, and none
    /// takes more than one for itself and one for each KiB.</summary>
    public static long MaxLengthBytes(int events, long frameBytes) => events + (frameBytes / 1024);

    /// <summary>The frame's size with lengths and streams of so many bytes.</summary>
    public static long FrameBytes(long lengthBytes, long streamBytes) =>
        FrameLayout.HeaderBytes + FixedBytes + lengthBytes + streamBytes + FrameLayout.Alignment;

    /// <summary>Writes the body and answers its length.</summary>
    public int Write(Span<byte> body)
    {
        BinaryPrimitives.WriteInt64LittleEndian(body, CoveredOffset);
        BinaryPrimitives.WriteInt64LittleEndian(body[8..], Previous);
        BinaryPrimitives.WriteUInt64LittleEndian(body[16..], ContentHash);
        BinaryPrimitives.WriteInt64LittleEndian(body[24..], LastTimestamp);
        BinaryPrimitives.WriteInt32LittleEndian(body[32..], Events);
        BinaryPrimitives.WriteInt32LittleEndian(body[36..], Lengths.Length);
        Lengths.Span.CopyTo(body[FixedBytes..]);
        Streams.Span.CopyTo(body[(FixedBytes + Lengths.Length)..]);
        return FixedBytes + Lengths.Length + Streams.Length;
    }

    /// <summary>Writes one of the lengths; answers how many bytes it took.</summary>
    public static int WriteLength(Span<byte> target, long length) => Varint.Write(target, (ulong)length / FrameLayout.Alignment);

    /// <summary>Reads a verified checkpoint frame; null when its fields contradict each other or its place. The lengths and streams are not looked at.</summary>
    public static Checkpoint? Read(Frame frame)
    {
        var body = frame.Body;
        if (body.Length < FixedBytes)
        {
            return null;
        }

        var covered = BinaryPrimitives.ReadInt64LittleEndian(body);
        var previous = BinaryPrimitives.ReadInt64LittleEndian(body[8..]);
        var (events, lengthBytes) = (BinaryPrimitives.ReadInt32LittleEndian(body[32..]), BinaryPrimitives.ReadInt32LittleEndian(body[36..]));
        return covered != frame.Offset || previous < 0 || previous >= covered || events < 0 || events > lengthBytes || lengthBytes > body.Length - FixedBytes
            ? null
            : new Checkpoint
            {
                CoveredOffset = covered,
                Previous = previous,
                ContentHash = BinaryPrimitives.ReadUInt64LittleEndian(body[16..]),
                LastTimestamp = BinaryPrimitives.ReadInt64LittleEndian(body[24..]),
                Events = events,
                Lengths = body.Slice(FixedBytes, lengthBytes).ToArray(),
                Streams = body[(FixedBytes + lengthBytes)..].ToArray(),
            };
    }

    /// <summary>Reads one of the lengths; false when there is none that a frame may have.</summary>
    public static bool TryReadLength(ReadOnlySpan<byte> encoded, ref int at, out int length)
    {
        length = 0;
        if (!Varint.TryRead(encoded, ref at, out var words) || words > Limits.MaxEventBytes / FrameLayout.Alignment)
        {
            return false;
        }

        length = (int)words * FrameLayout.Alignment;
        return length >= FrameLayout.HeaderBytes;
    }
}
