using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KawaOrleans.Storage.Volumes;

/// <summary>The two syncs .NET does not offer: of a file's data without its times (a sync of both commits the journal each
/// time), and of a directory.</summary>
internal static partial class PosixSync
{
    private const int OpenReadOnlyCloseOnExec = 0x80000;

    public static void Data(SafeFileHandle handle)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(handle);
            return;
        }

        if (fdatasync(handle) != 0)
        {
            throw LastError("fdatasync");
        }
    }

    public static void Directory(string directory)
    {
        // Windows journals directory changes itself and has no call for it; macOS is untested.
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var descriptor = open(directory, OpenReadOnlyCloseOnExec);
        if (descriptor < 0)
        {
            throw LastError($"open {directory}");
        }

        try
        {
            if (fsync(descriptor) != 0)
            {
                throw LastError($"fsync {directory}");
            }
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    private static IOException LastError(string call)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{call}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle handle);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
}
