using System.IO.Hashing;
using System.Runtime.CompilerServices;

namespace KawaOrleans.Format;

/// <summary>The checksum of frames and sectors: XXH3 (64 bits, unseeded), folded to 32 and tied to a place.</summary>
/// <remarks>
/// The place enters by XOR, so that hashing needs no per-segment secret: key(segment) ^ (offset / 8) * odd. An odd factor is
/// a bijection on 32 bits, hence two offsets of one segment never share a key and a frame copied to another offset of its own
/// file fails for certain, not just probably.
/// </remarks>
internal static class Checksum
{
    private const uint OffsetFactor = 0x9E3779B1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Fold(ulong hash) => unchecked((uint)hash ^ (uint)(hash >> 32));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint At(uint segmentKey, long offset, ReadOnlySpan<byte> bytes) =>
        unchecked(Fold(XxHash3.HashToUInt64(bytes)) ^ segmentKey ^ ((uint)(offset >> 3) * OffsetFactor));
}
