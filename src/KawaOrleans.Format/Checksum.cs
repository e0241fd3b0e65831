using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.CompilerServices;

namespace KawaOrleans.Format;

/// <summary>The checksum of a frame, in two steps: the hash of the encoded part, which whoever encodes it takes once, and the hash of
/// that with the stamp; the latter folded to 32 bits and tied to a place.</summary>
/// <remarks>
/// The writer never hashes a body, and yet its checksum covers every byte of the frame: a body that changed on its way from the
/// client's memory to the disk fails every reader.
/// The place enters by XOR, so that hashing needs no per-segment secret: key(segment) ^ (offset / 8) * odd. An odd factor is
/// a bijection on 32 bits, hence two offsets of one segment never share a key and a frame copied to another offset of its own
/// file fails for certain, not just probably.
/// </remarks>
internal static class Checksum
{
    private const uint OffsetFactor = 0x9E3779B1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Fold(ulong hash) => unchecked((uint)hash ^ (uint)(hash >> 32));

    /// <summary>The hash of a whole frame's encoded part; the frame ends with its padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong OfEncoded(ReadOnlySpan<byte> frame) => XxHash3.HashToUInt64(frame[FrameLayout.Encoded..]);

    /// <summary>The checksum of a frame whose stamp lies in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint At(uint segmentKey, long offset, ReadOnlySpan<byte> frame, ulong encodedHash)
    {
        var stamp = frame[..FrameLayout.Checksum];
        return At(
            segmentKey,
            unchecked((uint)(offset >> 3)),
            BinaryPrimitives.ReadUInt64LittleEndian(stamp[FrameLayout.GroupDistance..]),
            BinaryPrimitives.ReadUInt64LittleEndian(stamp[FrameLayout.Revision..]),
            BinaryPrimitives.ReadUInt64LittleEndian(stamp[FrameLayout.Timestamp..]),
            encodedHash);
    }

    /// <summary>The same for a stamp in registers: a load of bytes just stored in parts would wait for the stores.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint At(uint segmentKey, uint place, ulong distanceAndPosition, ulong revision, ulong timestamp, ulong encodedHash) =>
        unchecked(FourWordHash.Folded(distanceAndPosition, revision, timestamp, encodedHash) ^ segmentKey ^ (place * OffsetFactor));
}
