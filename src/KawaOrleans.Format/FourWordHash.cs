using System.Runtime.CompilerServices;

namespace KawaOrleans.Format;

/// <summary>XXH3-64 of exactly 32 bytes, given as four words in registers: what System.IO.Hashing computes of the same bytes, without
/// the call and its choice by length, which took three times as long as the arithmetic (docs/decisions/0011).</summary>
/// <remarks>From the specification of XXH3 ("Medium inputs", 17 to 128 bytes), its default secret and a seed of 0.</remarks>
internal static class FourWordHash
{
    private const ulong Start = unchecked(32 * 0x9E3779B185EBCA87);
    private const ulong Secret0 = 0xBE4BA423396CFEB8;
    private const ulong Secret1 = 0x1CAD21F72C81017C;
    private const ulong Secret2 = 0xDB979083E96DD4DE;
    private const ulong Secret3 = 0x1F67B3B7A4A44072;
    private const ulong Avalanche = 0x165667919E3779F9;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ulong first, ulong second, ulong third, ulong fourth) => unchecked(
        Avalanched(Start + FoldedProduct(first ^ Secret0, second ^ Secret1) + FoldedProduct(third ^ Secret2, fourth ^ Secret3)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong FoldedProduct(ulong left, ulong right) => Math.BigMul(left, right, out var low) ^ low;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Avalanched(ulong hash)
    {
        hash = unchecked((hash ^ (hash >> 37)) * Avalanche);
        return hash ^ (hash >> 32);
    }
}
