using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KawaOrleans.Storage.Volumes;

/// <summary>The syncs .NET does not offer: of a file's data without its times (a sync of both commits the journal each
/// time), of a directory, and the early writing of a part.</summary>
internal static partial class PosixSync
{
    private const int OpenReadOnlyCloseOnExec = 0x80000;
    private const uint RangeWaitBefore = 1;
    private const uint RangeWrite = 2;
    private const uint RangeWaitAfter = 4;

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

    /// <summary>Writes a range to the disk and waits, without making it durable: others' syncs come in between.</summary>
    public static void Drain(SafeFileHandle handle, long offset, long length)
    {
        // Advice: the sync that follows writes what this did not, and tells what went wrong.
        if (OperatingSystem.IsLinux())
        {
            _ = sync_file_range(handle, offset, length, RangeWaitBefore | RangeWrite | RangeWaitAfter);
        }
    }

    private static IOException LastError(string call)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{call}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle handle);

    [LibraryImport("libc")]
    private static partial int sync_file_range(SafeFileHandle handle, long offset, long length, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
}
