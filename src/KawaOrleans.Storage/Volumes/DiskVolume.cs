namespace KawaOrleans.Storage.Volumes;

/// <summary>The local file system.</summary>
internal sealed class DiskVolume : IVolume
{
    // A sync of another file waits behind what the disk was given before it: a step must not take longer than a sync or two.
    private const int ZeroStepBytes = 256 * 1024;
    private static readonly byte[] Zeroes = new byte[ZeroStepBytes];

    public static DiskVolume Instance { get; } = new();

    public IVolumeFile Create(string path, long bytes, Preparation preparation)
    {
        DiskFile? file = null;
        try
        {
            var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            file = new DiskFile(path, handle);
            if (!PosixAllocation.TryAllocate(handle, bytes) || preparation == Preparation.WrittenThrough)
            {
                for (var offset = 0L; offset < bytes; offset += ZeroStepBytes)
                {
                    var step = (int)Math.Min(ZeroStepBytes, bytes - offset);
                    file.Write(offset, Zeroes.AsSpan(0, step));
                    PosixSync.Drain(handle, offset, step);
                }
            }

            return file;
        }
        catch (IOException e) when (e is not StorageException)
        {
            var made = file is not null;
            file?.Dispose();
            if (made)
            {
                File.Delete(path);
            }

            throw IoErrors.IsDiskFull(e) ? new DiskFullException(path, bytes, e) : e;
        }
    }

    public IVolumeFile Open(string path, bool writable) => new DiskFile(
        path,
        writable
            ? File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None)
            : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));

    public IDisposable Lock(string directory, string name)
    {
        try
        {
            return File.OpenHandle(Path.Combine(directory, name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (IoErrors.IsInUse(e))
        {
            throw new DirectoryLockedException(directory, e);
        }
    }

    public bool Exists(string path) => Path.Exists(path);

    public IReadOnlyList<string> Files(string directory) =>
        Directory.Exists(directory) ? [.. Directory.EnumerateFiles(directory).Select(Path.GetFileName).Order()!] : [];

    public IReadOnlyList<string> Directories(string directory) =>
        Directory.Exists(directory) ? [.. Directory.EnumerateDirectories(directory).Select(Path.GetFileName).Order()!] : [];

    public void CreateDirectory(string directory)
    {
        directory = Path.GetFullPath(directory);
        if (Directory.Exists(directory))
        {
            return;
        }

        var parent = Path.GetDirectoryName(directory);
        if (parent is not null)
        {
            CreateDirectory(parent);
        }

        Directory.CreateDirectory(directory);
        if (parent is not null)
        {
            SyncDirectory(parent);
        }
    }

    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    public void Delete(string path) => File.Delete(path);

    public void SyncDirectory(string directory) => PosixSync.Directory(directory);

    public long FreeBytes(string directory) => new DriveInfo(Path.GetFullPath(directory)).AvailableFreeSpace;
}

/// <summary>Tells the I/O errors apart that mean something to the engine.</summary>
internal static class IoErrors
{
    private const int PosixWouldBlock = 11;
    private const int MacWouldBlock = 35;
    private const int PosixNoSpace = 28;
    private const int PosixQuota = 122;
    private const int WindowsSharingViolation = unchecked((int)0x80070020);
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    public static bool IsInUse(IOException e) => e.HResult is PosixWouldBlock or MacWouldBlock or WindowsSharingViolation;

    public static bool IsDiskFull(IOException e) => e.HResult is PosixNoSpace or PosixQuota or WindowsDiskFull or WindowsHandleDiskFull;
}
