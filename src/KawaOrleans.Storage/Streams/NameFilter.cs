namespace KawaOrleans.Storage.Streams;

/// <summary>A Bloom filter in which a name touches one cache line: 10 bits a name, about one wrong "maybe" in a hundred.</summary>
/// <remarks>After "Cache-, Hash- and Space-Efficient Bloom Filters" (Putze, Sanders, Singler, 2007), section 3: a block of 512 bits
/// is chosen by the upper half of the hash, six bits of it by a product of the whole.</remarks>
internal static class NameFilter
{
    private const int BlockBytes = 64;
    private const int BitsPerName = 10;
    private const int BitsSet = 6;
    private const ulong Spread = 0x9E3779B185EBCA87;

    public static int BytesFor(int names) => checked((int)(((((long)names * BitsPerName) + (BlockBytes * 8) - 1) / (BlockBytes * 8)) + 1) * BlockBytes);

    public static bool IsSize(int bytes) => bytes > 0 && bytes % BlockBytes == 0;

    public static void Add(Span<byte> filter, ulong hash)
    {
        var block = filter.Slice(BlockOf(filter.Length, hash), BlockBytes);
        var bits = unchecked(hash * Spread);
        for (var i = 0; i < BitsSet; i++, bits >>= 9)
        {
            block[(int)(bits & 511) >> 3] |= (byte)(1 << (int)(bits & 7));
        }
    }

    public static bool MayContain(ReadOnlySpan<byte> filter, ulong hash)
    {
        var block = filter.Slice(BlockOf(filter.Length, hash), BlockBytes);
        var bits = unchecked(hash * Spread);
        for (var i = 0; i < BitsSet; i++, bits >>= 9)
        {
            if ((block[(int)(bits & 511) >> 3] & (1 << (int)(bits & 7))) == 0)
            {
                return false;
            }
        }

        return true;
    }

    private static int BlockOf(int filterBytes, ulong hash) =>
        (int)(((hash >> 32) * (uint)(filterBytes / BlockBytes)) >> 32) * BlockBytes;
}
