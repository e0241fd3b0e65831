using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using KawaOrleans.Format;

namespace KawaOrleans.Storage.Segments;

/// <summary>Fills in what only the writer knows: place, time, and last of all the checksum.</summary>
internal static class FrameStamp
{
    public const long NotNumbered = -1;

    /// <summary>Stamps an event frame in place and answers its checksum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Event(Span<byte> frame, uint segmentKey, long offset, long groupStart, uint relativePosition, long timestamp)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(frame[FrameLayout.GroupDistance..], (uint)((offset - groupStart) >> 3));
        BinaryPrimitives.WriteUInt32LittleEndian(frame[FrameLayout.RelativePosition..], relativePosition);
        BinaryPrimitives.WriteInt64LittleEndian(frame[FrameLayout.Revision..], NotNumbered);
        BinaryPrimitives.WriteInt64LittleEndian(frame[FrameLayout.Timestamp..], timestamp);
        return Seal(frame, segmentKey, offset);
    }

    /// <summary>Writes the header of a frame whose body already lies in place, with its padding; answers the padded length.</summary>
    public static int Other(
        Span<byte> frame, FrameKind kind, int bodyLength, uint segmentKey, long offset, long groupStart, uint nextRelativePosition, long timestamp)
    {
        var length = FrameLayout.HeaderBytes + bodyLength;
        var padded = FrameLayout.Padded(length);
        frame = frame[..padded];
        frame[..FrameLayout.HeaderBytes].Clear();
        frame[length..].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(frame[FrameLayout.Length..], length);
        frame[FrameLayout.Kind] = (byte)kind;
        Event(frame, segmentKey, offset, groupStart, nextRelativePosition, timestamp);
        return padded;
    }

    private static uint Seal(Span<byte> frame, uint segmentKey, long offset)
    {
        var checksum = Checksum.At(segmentKey, offset, frame[FrameLayout.Length..]);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, checksum);
        return checksum;
    }
}
