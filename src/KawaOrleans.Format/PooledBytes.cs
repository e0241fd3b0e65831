using System.Buffers;

namespace KawaOrleans.Format;

/// <summary>Arrays for bytes on their way: blocks and write groups.</summary>
/// <remarks>The shared pool leaves one array of each size with every thread that ever gave one back. Blocks pass through all threads of a pool, so with
/// a mebibyte each that was most of a silo's memory. Large ones come from pools that all threads share, whose worst case is known: 32 of each size up
/// to 1 MiB, 4 of each above; what is wanted beyond that is made and collected.</remarks>
internal static class PooledBytes
{
    private const int MostLeftWithThreads = 128 * 1024;
    private const int MostOften = 1024 * 1024;
    private const int Most = 16 * 1024 * 1024;

    private static readonly ArrayPool<byte> Often = ArrayPool<byte>.Create(MostOften, 32);
    private static readonly ArrayPool<byte> Seldom = ArrayPool<byte>.Create(Most, 4);

    /// <summary>An array of at least so many bytes, whatever they are.</summary>
    public static byte[] Rent(int bytes) => PoolOf(bytes).Rent(bytes);

    /// <summary>Gives it back; nobody looks at it any more.</summary>
    public static void Return(byte[] rented) => PoolOf(rented.Length).Return(rented);

    // Every pool gives lengths that are powers of two, as are the limits: what was rented goes back to where it came from.
    private static ArrayPool<byte> PoolOf(int bytes) => bytes <= MostLeftWithThreads ? ArrayPool<byte>.Shared : bytes <= MostOften ? Often : Seldom;
}
