using System.Buffers.Binary;
using KawaOrleans.Format;

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
            var rest = (uint)FrameLengths[i] / FrameLayout.Alignment;
            for (; rest >= 0x80; rest >>= 7)
            {
                body[at++] = (byte)((rest & 0x7F) | 0x80);
            }

            body[at++] = (byte)rest;
        }

        return at;
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

        return checkpoint with { FrameLengths = lengths };
    }

    /// <summary>The same without the lengths, of which it answers how many there are and their bytes.</summary>
    public static Checkpoint? ReadFields(Frame frame, out int events, out ReadOnlySpan<byte> encodedLengths)
    {
        var body = frame.Body;
        events = 0;
        encodedLengths = default;
        if (body.Length < FixedBytes)
        {
            return null;
        }

        var covered = BinaryPrimitives.ReadInt64LittleEndian(body);
        var previous = BinaryPrimitives.ReadInt64LittleEndian(body[8..]);
        events = BinaryPrimitives.ReadInt32LittleEndian(body[32..]);
        encodedLengths = body[FixedBytes..];
        return covered != frame.Offset || previous < 0 || previous >= covered || events < 0 || events > encodedLengths.Length
            ? null
            : new Checkpoint
            {
                CoveredOffset = covered,
                Previous = previous,
                ContentHash = BinaryPrimitives.ReadUInt64LittleEndian(body[16..]),
                LastTimestamp = BinaryPrimitives.ReadInt64LittleEndian(body[24..]),
                FrameLengths = [],
            };
    }

    /// <summary>Reads one of the lengths; false when there is none that a frame may have.</summary>
    public static bool TryReadLength(ReadOnlySpan<byte> encoded, ref int at, out int length)
    {
        var value = 0U;
        length = 0;
        for (var shift = 0; shift < 28; shift += 7)
        {
            if (at == encoded.Length)
            {
                return false;
            }

            var next = encoded[at++];
            value |= (uint)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                length = (int)value * FrameLayout.Alignment;
                return length is >= FrameLayout.HeaderBytes and <= Limits.MaxEventBytes;
            }
        }

        return false;
    }
}
