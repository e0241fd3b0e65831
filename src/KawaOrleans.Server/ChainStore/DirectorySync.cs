using System.ComponentModel;
using System.Runtime.InteropServices;

namespace KawaOrleans.Server.ChainStore;

/// <summary>Makes the names in a directory survive a power loss: what a rename needs before it may be called done.</summary>
internal static class DirectorySync
{
    private const int ReadOnly = 0;

    /// <summary>Syncs the directory. Windows has no such call; there the file system's journal keeps renames in order.</summary>
    public static void Sync(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = Open(directory, ReadOnly);
        if (descriptor < 0)
        {
            throw Failed(directory);
        }

        try
        {
            if (Fsync(descriptor) != 0)
            {
                throw Failed(directory);
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failed(string directory)
    {
        var reason = new Win32Exception(Marshal.GetLastPInvokeError());
        return new IOException($"Directory '{directory}' cannot be synced: {reason.Message}", reason);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Fsync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
