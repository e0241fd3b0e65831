using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

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

    /// <summary>The hash, folded to 32 bits. Its last step is h XOR (h / 2³²), of which the fold, low half XOR high half, leaves the low
    /// half of h.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Folded(ulong first, ulong second, ulong third, ulong fourth)
    {
        unchecked
        {
            var hash = Start + FoldedProduct(first ^ Secret0, second ^ Secret1) + FoldedProduct(third ^ Secret2, fourth ^ Secret3);
            return (uint)((hash ^ (hash >> 37)) * Avalanche);
        }
    }

    /// <remarks>Two multiplications in registers beat one whose halves come back through memory.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong FoldedProduct(ulong left, ulong right) => Bmi2.X64.IsSupported
        ? Bmi2.X64.MultiplyNoFlags(left, right) ^ unchecked(left * right)
        : Math.BigMul(left, right, out var low) ^ low;
}
