namespace KawaOrleans.Storage.Volumes;

/// <summary>All access to files goes through here, so that a test can keep or drop any write that was not synced.</summary>
internal interface IVolume
{
    /// <summary>Makes a file of this length: never sparse, all zeroes, not yet synced. Fails if it exists.</summary>
    /// <exception cref="DiskFullException">No room; nothing is left behind.</exception>
    IVolumeFile Create(string path, long bytes, Preparation preparation);

    /// <summary>Opens a file; writable means: no other handle to it, in this process or another, while it is open.</summary>
    IVolumeFile Open(string path, bool writable);

    /// <summary>Takes the directory for this process, until the answer is disposed or the process ends.</summary>
    /// <exception cref="DirectoryLockedException">Another one has it.</exception>
    IDisposable Lock(string directory, string name);

    /// <summary>True for a file or a directory.</summary>
    bool Exists(string path);

    /// <summary>Names of the files in a directory.</summary>
    IReadOnlyList<string> Files(string directory);

    /// <summary>Names of the directories in a directory.</summary>
    IReadOnlyList<string> Directories(string directory);

    /// <summary>Makes the directory and its parents if missing, synced.</summary>
    void CreateDirectory(string directory);

    void Rename(string from, string to);

    void Delete(string path);

    /// <summary>Makes creations, renames and deletions in the directory durable.</summary>
    void SyncDirectory(string directory);

    long FreeBytes(string directory);
}

/// <summary>One open file.</summary>
internal interface IVolumeFile : IDisposable
{
    string Path { get; }

    long Length { get; }

    /// <summary>Fills the buffer as far as the file reaches; answers how far.</summary>
    int Read(long offset, Span<byte> buffer);

    void Write(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Makes all writes so far durable.</summary>
    void Sync();

    /// <summary>Has the disk take a range now, so that a later sync is short. Proves nothing: only <see cref="Sync"/> does.</summary>
    void Drain(long offset, long length);

    /// <summary>Lengthens the file, allocated.</summary>
    /// <exception cref="DiskFullException">No room; it may be somewhat longer, and zero there.</exception>
    void SetLength(long bytes);

    /// <summary>Maps the file as it is long now, for reading. The map outlives this handle.</summary>
    IFileMap Map();

    /// <summary>Maps the file for reading and writing; what is written through it is synced by <see cref="Sync"/>.</summary>
    IWritableMap MapWritable();
}

/// <summary>A file in memory. It lives as long as it, or any memory taken from it, is referenced.</summary>
internal interface IFileMap
{
    long Length { get; }

    /// <summary>The caller keeps a reference to the map while it uses the span.</summary>
    ReadOnlySpan<byte> Span(long offset, int length);

    ReadOnlyMemory<byte> Memory(long offset, int length);
}

/// <summary>A file in memory that is also written there.</summary>
internal interface IWritableMap : IFileMap
{
    Span<byte> WritableSpan(long offset, int length);

    /// <summary>Tells what was changed.</summary>
    void Wrote(long offset, int length);

    /// <summary>Has these pages ready to be written without a fault.</summary>
    void Supply(long offset, long length);
}
