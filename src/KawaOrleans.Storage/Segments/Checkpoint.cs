using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Segments;

/// <summary>A frame that bounds recovery: what lies before it was on disk before it was written.</summary>
internal sealed record Checkpoint
{
    private const int FixedBytes = 36;

    /// <summary>Its own offset.</summary>
    public required long CoveredOffset { get; init; }

    /// <summary>The checkpoint before it; 0: none.</summary>
    public required long Previous { get; init; }

    public required ulong ContentHash { get; init; }

    public required long LastTimestamp { get; init; }

    /// <summary>Padded lengths of the event frames since the checkpoint before.</summary>
    public required IReadOnlyList<int> FrameLengths { get; init; }

    /// <summary>The streams of those events.</summary>
    public required StreamDelta Streams { get; init; }

    /// <summary>An upper bound of the frame's size with this many entries for so many bytes of frames: a length below 1 KiB takes
    /// one byte, and no length takes more than one for itself and one for each KiB.</summary>
    public static long MaxFrameBytes(int entries, long frameBytes) =>
        FrameLayout.HeaderBytes + FixedBytes + entries + (frameBytes / 1024) + FrameLayout.Alignment;

    /// <summary>Writes the body and answers its length.</summary>
    public int Write(Span<byte> body)
    {
        BinaryPrimitives.WriteInt64LittleEndian(body, CoveredOffset);
        BinaryPrimitives.WriteInt64LittleEndian(body[8..], Previous);
        BinaryPrimitives.WriteUInt64LittleEndian(body[16..], ContentHash);
        BinaryPrimitives.WriteInt64LittleEndian(body[24..], LastTimestamp);
        BinaryPrimitives.WriteInt32LittleEndian(body[32..], FrameLengths.Count);
        var at = FixedBytes;
        for (var i = 0; i < FrameLengths.Count; i++)
        {
            at += Varint.Write(body[at..], (ulong)FrameLengths[i] / FrameLayout.Alignment);
        }

        return at + Streams.Write(body[at..]);
    }

    /// <summary>Reads a verified checkpoint frame; null when its fields contradict each other or its place.</summary>
    public static Checkpoint? Read(Frame frame)
    {
        if (ReadFields(frame, out var events, out var encoded) is not { } checkpoint)
        {
            return null;
        }

        var lengths = new int[events];
        var at = 0;
        for (var i = 0; i < events; i++)
        {
            if (!TryReadLength(encoded, ref at, out lengths[i]))
            {
                return null;
            }
        }

        return StreamDelta.TryRead(encoded[at..], events) is { } streams ? checkpoint with { FrameLengths = lengths, Streams = streams } : null;
    }

    /// <summary>The same without lengths and streams, of which it answers for how many events they are, and their bytes.</summary>
    public static Checkpoint? ReadFields(Frame frame, out int events, out ReadOnlySpan<byte> encoded)
    {
        var body = frame.Body;
        events = 0;
        encoded = default;
        if (body.Length < FixedBytes)
        {
            return null;
        }

        var covered = BinaryPrimitives.ReadInt64LittleEndian(body);
        var previous = BinaryPrimitives.ReadInt64LittleEndian(body[8..]);
        events = BinaryPrimitives.ReadInt32LittleEndian(body[32..]);
        encoded = body[FixedBytes..];
        return covered != frame.Offset || previous < 0 || previous >= covered || events < 0 || events > encoded.Length
            ? null
            : new Checkpoint
            {
                CoveredOffset = covered,
                Previous = previous,
                ContentHash = BinaryPrimitives.ReadUInt64LittleEndian(body[16..]),
                LastTimestamp = BinaryPrimitives.ReadInt64LittleEndian(body[24..]),
                FrameLengths = [],
                Streams = StreamDelta.None,
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
