namespace KawaOrleans.Storage;

/// <summary>What the engine throws when files are not as they must be. The message names the file.</summary>
public class StorageException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>The bytes are not what was written: never cut, never skipped.</summary>
public sealed class SegmentDamagedException(string path, long offset, string found)
    : StorageException($"{path}: damaged at offset {offset}: {found}. Nothing was changed. Restore the file from a copy.")
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;

    /// <summary>Where.</summary>
    public long Offset { get; } = offset;

    /// <summary>What is there instead of what was written.</summary>
    public string Found { get; } = found;
}

/// <summary>The file is not a segment of ours, or of a version or with features this program does not know.</summary>
public sealed class NotASegmentException(string path, string found) : StorageException($"{path}: {found}");

/// <summary>The medium failed: what the file holds is unknown. Distinct from damage.</summary>
public sealed class SegmentUnreadableException(string path, Exception inner)
    : StorageException($"{path}: cannot be read ({inner.Message}). Its content is unknown, neither good nor bad. Check the medium and its permissions, then restart.", inner)
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;
}

/// <summary>A write or sync failed, so this process writes the segment no more: after a restart it is recovered as after a crash.</summary>
public sealed class SegmentPoisonedException(string path, Exception inner)
    : StorageException($"{path}: a write or sync failed ({inner.Message}); the segment refuses writes until it is recovered by a restart.", inner);

/// <summary>No room for a new file or for the next step of one. Nothing was lost; free space and repeat.</summary>
public sealed class DiskFullException(string path, long neededBytes, Exception inner)
    : StorageException($"{path}: no room for {neededBytes} bytes. Free space on the volume and repeat.", inner);

/// <summary>Another process holds the data directory.</summary>
public sealed class DirectoryLockedException(string directory, Exception inner)
    : StorageException($"{directory}: in use by another process. One data directory serves one silo: stop that process or name another directory.", inner);

/// <summary>The data directory belongs to another node or cluster.</summary>
public sealed class ForeignDirectoryException(string directory, string reason) : StorageException($"{directory}: {reason}");

/// <summary>This writer was fenced: a newer one, or a roll, took its place. Nothing was written.</summary>
public sealed class WriterFencedException(string path) : StorageException($"{path}: the segment has ended or has another writer.")
{
    /// <summary>True for what a fence refused: no other writer took the handle, whether or not the fence is on disk yet.</summary>
    public bool IsByFence { get; init; }
}

/// <summary>Which streams the log has before a position is not known on this node, so what comes behind cannot be numbered.</summary>
public sealed class HeadsMissingException(string logFolder, long position) : StorageException(
    $"{logFolder}: the heads of streams before position {position} are not here: neither the segment that ends there nor a run of heads. Restore that segment's file from a copy, then repeat.")
{
    /// <summary>The position before which nothing is known.</summary>
    public long Position { get; } = position;
}

/// <summary>The segment has no room for the batch. Nothing was written: roll to the next segment.</summary>
public sealed class SegmentFullException(string path, long neededBytes, long freeBytes)
    : StorageException($"{path}: the batch needs {neededBytes} bytes, {freeBytes} are free. Roll to the next segment.");

/// <summary>The stream has ended for ever. Nothing was written.</summary>
public sealed class TombstoneException(string stream, long revision)
    : StorageException($"Stream '{stream}' ended for ever at revision {revision}. Nothing was written: use another stream.")
{
    /// <summary>The stream.</summary>
    public string Stream { get; } = stream;

    /// <summary>The revision of the event that ended it.</summary>
    public long Revision { get; } = revision;
}
