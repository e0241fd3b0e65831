namespace KawaOrleans.Storage;

/// <summary>A node's data directory: its identity, its segment files and the chains it was told of. One process at a time,
/// under an exclusive lock of the operating system. All methods do blocking file I/O unless they say otherwise.</summary>
public sealed class NodeStore : IDisposable
{
    /// <summary>Locks the directory (made if missing), checks that it is this node's, and recovers every segment in it.
    /// A file that cannot be trusted is reported in <see cref="Untrusted"/>, never skipped or changed.</summary>
    /// <exception cref="DirectoryLockedException">Another process has it.</exception>
    /// <exception cref="ForeignDirectoryException">It belongs to a node of another name.</exception>
    public static NodeStore Open(string directory, string nodeName, TimeProvider? time = null) => throw new NotImplementedException();

    /// <summary>Who the directory says this node is.</summary>
    public NodeIdentity Identity => throw new NotImplementedException();

    /// <summary>Records the cluster the node belongs to, once (synced).</summary>
    /// <exception cref="ForeignDirectoryException">It belongs to another.</exception>
    public void JoinCluster(Guid cookie) => throw new NotImplementedException();

    /// <summary>All trusted segments.</summary>
    public IReadOnlyList<Segment> Segments => throw new NotImplementedException();

    /// <summary>Files that are not trusted, and why.</summary>
    public IReadOnlyList<UntrustedFile> Untrusted => throw new NotImplementedException();

    /// <summary>The segment, or false.</summary>
    public bool TryGet(Guid segmentId, int generation, out Segment? segment) => throw new NotImplementedException();

    /// <summary>The log's segment that is prepared or open here, or null.</summary>
    public Segment? CurrentWriteSegment(Guid logId) => throw new NotImplementedException();

    /// <summary>Makes a segment file: allocated, written through, header synced, directory entry synced. The same header again
    /// answers the same segment; another header under the same id is refused.</summary>
    /// <exception cref="DiskFullException">No room.</exception>
    public Segment Create(SegmentHeader header) => throw new NotImplementedException();

    /// <summary>Allocates the file a later <see cref="Create"/> of this log will take (a spare).</summary>
    public void PrepareSpare(Guid logId, long fileBytes) => throw new NotImplementedException();

    /// <summary>The chains this node was told of, the newest of each log.</summary>
    public IReadOnlyList<SavedChain> Chains => throw new NotImplementedException();

    /// <summary>Keeps a chain if it is newer than the one kept (synced); answers the version now kept.</summary>
    public long SaveChain(SavedChain chain) => throw new NotImplementedException();

    /// <summary>Moves a segment's file, which the chain no longer lists, out of the way: kept under <c>aside/</c>, not erased.</summary>
    public void SetAside(Segment segment, string reason) => throw new NotImplementedException();

    /// <summary>Free bytes on the volume.</summary>
    public long FreeBytes => throw new NotImplementedException();

    /// <summary>The stats of all segments.</summary>
    public IReadOnlyList<ReplicaStats> GetStats() => throw new NotImplementedException();

    /// <summary>Runs a function over all segments, at most <paramref name="parallelism"/> at once, off the caller's thread;
    /// the first error ends the rest and is returned.</summary>
    public Task ForEachSegmentAsync(Func<Segment, CancellationToken, ValueTask> visit, int parallelism, CancellationToken cancellation = default) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}

/// <summary>Who a data directory is.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Id">Made with the directory.</param>
/// <param name="Cookie">The cluster it joined; null before.</param>
public sealed record NodeIdentity(string Name, Guid Id, Guid? Cookie);

/// <summary>A file that is not trusted.</summary>
/// <param name="Path">The file.</param>
/// <param name="SegmentId">The segment its name says it holds, if it does.</param>
/// <param name="LogId">The log its folder says it belongs to, if it does.</param>
/// <param name="Problem">What is wrong: damaged, unreadable, or not ours.</param>
/// <param name="IsUnreadable">True when the medium failed, so that nothing is known.</param>
public sealed record UntrustedFile(string Path, Guid? SegmentId, Guid? LogId, string Problem, bool IsUnreadable);

/// <summary>A chain as a node keeps it; the content is opaque to the engine.</summary>
public sealed record SavedChain(Guid LogId, string LogName, long Version, ReadOnlyMemory<byte> Content);
