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

    /// <summary>Writes the body of a checkpoint at the cursor's offset and answers its length. The frames of the positions from
    /// <paramref name="from"/> on lie one behind another up to that offset, so the index is enough to tell their lengths.</summary>
    public static int Write(Span<byte> body, TailCursor at, DensePositions positions, int from)
    {
        BinaryPrimitives.WriteInt64LittleEndian(body, at.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(body[8..], at.LastCheckpoint);
        BinaryPrimitives.WriteUInt64LittleEndian(body[16..], at.ContentHash);
        BinaryPrimitives.WriteInt64LittleEndian(body[24..], at.LastTimestamp);
        BinaryPrimitives.WriteInt32LittleEndian(body[32..], positions.Count - from);
        var written = FixedBytes;
        for (var i = from; i < positions.Count; i++)
        {
            var end = i + 1 < positions.Count ? positions.OffsetOf(i + 1) : at.Offset;
            var rest = (uint)(end - positions.OffsetOf(i)) / FrameLayout.Alignment;
            for (; rest >= 0x80; rest >>= 7)
            {
                body[written++] = (byte)((rest & 0x7F) | 0x80);
            }

            body[written++] = (byte)rest;
        }

        return written;
    }

    /// <summary>Reads a verified checkpoint frame; null when its fields contradict each other or its place.</summary>
    public static Checkpoint? Read(Frame frame)
    {
        var body = frame.Body;
        if (body.Length < FixedBytes)
        {
            return null;
        }

        var covered = BinaryPrimitives.ReadInt64LittleEndian(body);
        var previous = BinaryPrimitives.ReadInt64LittleEndian(body[8..]);
        var count = BinaryPrimitives.ReadInt32LittleEndian(body[32..]);
        if (covered != frame.Offset || previous < 0 || previous >= covered || count < 0 || count > body.Length - FixedBytes)
        {
            return null;
        }

        var lengths = new int[count];
        var at = FixedBytes;
        for (var i = 0; i < count; i++)
        {
            if (!TryReadVarint(body, ref at, out lengths[i]))
            {
                return null;
            }
        }

        return new Checkpoint
        {
            CoveredOffset = covered,
            Previous = previous,
            ContentHash = BinaryPrimitives.ReadUInt64LittleEndian(body[16..]),
            LastTimestamp = BinaryPrimitives.ReadInt64LittleEndian(body[24..]),
            FrameLengths = lengths,
        };
    }

    private static bool TryReadVarint(ReadOnlySpan<byte> body, ref int at, out int length)
    {
        var value = 0U;
        length = 0;
        for (var shift = 0; shift < 28; shift += 7)
        {
            if (at == body.Length)
            {
                return false;
            }

            var next = body[at++];
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
