using System.Runtime.InteropServices;

namespace KawaOrleans.Storage.Volumes;

/// <summary>Asks Linux to map pages for writing ahead of use (MADV_POPULATE_WRITE, Linux 5.14). Advice only: where it is not to be
/// had, each page costs its writer a fault.</summary>
internal static unsafe partial class PageAdvice
{
    private const int PopulateWrite = 23;

    public static void Populate(byte* start, long length)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = madvise(start, (nuint)length, PopulateWrite);
        }
    }

    [LibraryImport("libc")]
    private static partial int madvise(byte* start, nuint length, int advice);
}
