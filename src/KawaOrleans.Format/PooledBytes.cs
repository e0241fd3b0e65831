using System.Buffers;

namespace KawaOrleans.Format;

/// <summary>Arrays for bytes on their way: blocks and write groups.</summary>
/// <remarks>The shared pool leaves one array of each size with every thread that ever gave one back. Blocks pass through all threads of a pool, so with
/// a mebibyte each that was most of a silo's memory. Large ones come from pools that all threads share, whose worst case is known: 32 of each size up
/// to 1 MiB, 4 of each above; what is wanted beyond that is made and collected. Those above are let go when a whole collection finds that none was wanted since the
/// one before.</remarks>
internal static class PooledBytes
{
    private const int MostLeftWithThreads = 128 * 1024;
    private const int MostOften = 1024 * 1024;
    private const int Most = 16 * 1024 * 1024;

    private static readonly ArrayPool<byte> Often = ArrayPool<byte>.Create(MostOften, 32);
    private static ArrayPool<byte> s_seldom = NewSeldom();
    private static bool s_wanted;

    static PooledBytes() => AfterCollections.Begin();

    /// <summary>An array of at least so many bytes, whatever they are.</summary>
    public static byte[] Rent(int bytes)
    {
        if (bytes > MostOften)
        {
            Volatile.Write(ref s_wanted, true);
        }

        return PoolOf(bytes).Rent(bytes);
    }

    /// <summary>Gives it back; nobody looks at it any more.</summary>
    public static void Return(byte[] rented) => PoolOf(rented.Length).Return(rented);

    // Every pool gives lengths that are powers of two, as are the limits: what was rented goes back to where it came from, or to its successor.
    private static ArrayPool<byte> PoolOf(int bytes) =>
        bytes <= MostLeftWithThreads ? ArrayPool<byte>.Shared : bytes <= MostOften ? Often : Volatile.Read(ref s_seldom);

    private static ArrayPool<byte> NewSeldom() => ArrayPool<byte>.Create(Most, 4);

    private static void LetGo()
    {
        if (!Volatile.Read(ref s_wanted))
        {
            Volatile.Write(ref s_seldom, NewSeldom());
        }

        Volatile.Write(ref s_wanted, false);
    }

    /// <summary>Unreachable, and finalized by every collection of the generation it is in; which after the first two is the last, so by whole ones.</summary>
    private sealed class AfterCollections
    {
        ~AfterCollections()
        {
            LetGo();
            GC.ReRegisterForFinalize(this);
        }

        public static void Begin() => _ = new AfterCollections();
    }
}
