using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KawaOrleans.Storage.Volumes;

/// <summary>Allocates a file's blocks at once. .NET can do so while it opens a file, but then tells a full disk without its error code.</summary>
internal static partial class PosixAllocation
{
    private const int NoSpace = 28;
    private const int TooBig = 27;

    /// <summary>False where the file system cannot: zeroes, written, allocate as well.</summary>
    public static bool TryAllocate(SafeFileHandle handle, long bytes)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        var error = posix_fallocate(handle, 0, bytes);
        if (error is NoSpace or TooBig)
        {
            throw new IOException($"posix_fallocate: {Marshal.GetPInvokeErrorMessage(error)}", NoSpace);
        }

        return error == 0;
    }

    [LibraryImport("libc")]
    private static partial int posix_fallocate(SafeFileHandle handle, long offset, long length);
}
