using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using KawaOrleans.Format;

namespace KawaOrleans.Storage.Segments;

/// <summary>Fills in what only the writer knows: place, time, and last of all the checksum.</summary>
internal static class FrameStamp
{
    public const long NotNumbered = -1;

    /// <summary>Stamps an unstamped event frame in place and answers its checksum. Looks at nothing but the header.</summary>
    /// <remarks>The place is the offset / 8; distance and position are the first word of the stamp.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Event(Span<byte> frame, uint segmentKey, uint place, ulong distanceAndPosition, long revision, long timestamp) =>
        Stamp(frame, BinaryPrimitives.ReadUInt64LittleEndian(frame[FrameLayout.EncodedHash..]), segmentKey, place, distanceAndPosition, revision, timestamp);

    /// <summary>The first word of a stamp.</summary>
    public static ulong DistanceAndPosition(long offset, long groupStart, uint relativePosition) =>
        (uint)((offset - groupStart) / FrameLayout.Alignment) | ((ulong)relativePosition << 32);

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
        Stamp(frame, Checksum.OfEncoded(frame), segmentKey, (uint)(offset >> 3), DistanceAndPosition(offset, groupStart, nextRelativePosition), NotNumbered, timestamp);
        return padded;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Stamp(
        Span<byte> frame, ulong encodedHash, uint segmentKey, uint place, ulong distanceAndPosition, long revision, long timestamp)
    {
        var checksum = Checksum.At(segmentKey, place, distanceAndPosition, unchecked((ulong)revision), unchecked((ulong)timestamp), encodedHash);
        var header = frame[..FrameLayout.HeaderBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(header[FrameLayout.GroupDistance..], distanceAndPosition);
        BinaryPrimitives.WriteInt64LittleEndian(header[FrameLayout.Revision..], revision);
        BinaryPrimitives.WriteInt64LittleEndian(header[FrameLayout.Timestamp..], timestamp);
        BinaryPrimitives.WriteUInt32LittleEndian(header[FrameLayout.Checksum..], checksum);
        return checksum;
    }
}
