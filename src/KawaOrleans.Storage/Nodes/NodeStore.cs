using KawaOrleans.Format;
using System.Collections.Concurrent;
using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage;

/// <summary>A node's data directory: its identity, its segment files and the chains it was told of. One process at a time,
/// under an exclusive lock of the operating system. All methods do blocking file I/O unless they say otherwise.</summary>
public sealed partial class NodeStore : IDisposable
{
    internal const string LogsFolder = "logs";

    internal const string LockName = "lock";
    private static readonly TimeSpan IdleBeforeCheckpoint = TimeSpan.FromSeconds(1);

    // How full a segment is when the next file is begun, and when it should be ready: early, or its zeroes would crowd out the appends of the end.
    private const double SpareFrom = 0.25;
    private const double SpareReady = 0.875;

    private readonly IVolume _volume;
    private readonly string _directory;
    private readonly SegmentHost _host;
    private readonly IDisposable _lock;
    private readonly ConcurrentDictionary<(Guid Id, int Generation), Segment> _segments = new();
    private readonly ConcurrentDictionary<string, UntrustedFile> _untrusted = new();
    private readonly ConcurrentDictionary<Guid, SavedChain> _chains = new();
    private readonly ConcurrentDictionary<Guid, LogHeads> _heads = new();
    private readonly SpareFiles _spares;
    private readonly AsideFolder _aside;
    private readonly CopiesFolder _copies;
    private readonly Lock _changes = new();
    private readonly ITimer _idleCheckpoints;
    private readonly CancellationTokenSource _closing = new();

    /// <summary>What goes on in the background, and one for as long as more may begin.</summary>
    private readonly CountdownEvent _finishing = new(1);
    private readonly Task _recovering;

    private NodeStore(IVolume volume, string directory, string nodeName, TimeProvider time, long checkpointIntervalBytes)
    {
        _volume = volume;
        _directory = directory;
        _host = new SegmentHost(volume, new MapCache(), time, FinishLater)
        {
            CheckpointIntervalBytes = checkpointIntervalBytes,
            HeadsBefore = header => header.Predecessor is null ? NoHeads.Instance : HeadsOf(header.LogId).Before(header.BasePosition),
        };
        _spares = new SpareFiles(volume);
        _aside = new AsideFolder(volume, directory);
        _copies = new CopiesFolder(_host, directory, _aside);
        volume.CreateDirectory(directory);
        _lock = volume.Lock(directory, LockName);
        try
        {
            Identity = NodeIdentity.Load(volume, directory, nodeName);
            volume.CreateDirectory(Path.Combine(directory, LogsFolder));
            volume.SyncDirectory(directory);
            LoadLogs();
        }
        catch
        {
            StopFinishing();
            CloseSegments();
            _lock.Dispose();
            throw;
        }

        _recovering = Task.Run(() => Parallel.ForEach(_segments.Values, RecoverSegment));
        _idleCheckpoints = time.CreateTimer(_ => CheckpointIdle(), state: null, IdleBeforeCheckpoint / 2, IdleBeforeCheckpoint / 2);
    }

    /// <summary>Who the directory says this node is.</summary>
    public NodeIdentity Identity { get; private set; }

    /// <summary>All trusted segments; waits until each is recovered.</summary>
    public IReadOnlyList<Segment> Segments => [.. Recovered().Values];

    /// <summary>Files that are not trusted, and why; waits until each segment is recovered.</summary>
    public IReadOnlyList<UntrustedFile> Untrusted
    {
        get
        {
            Recovered();
            return [.. _untrusted.Values];
        }
    }

    /// <summary>The chains this node was told of, the newest of each log.</summary>
    public IReadOnlyList<SavedChain> Chains => [.. _chains.Values];

    /// <summary>Free bytes on the volume.</summary>
    public long FreeBytes => _volume.FreeBytes(_directory);

    /// <summary>Locks the directory (made if missing), checks that it is this node's, and finds every segment in it. What is certainly
    /// on disk can be read from then on; the rest is recovered in the background, and whatever depends on it waits for it.
    /// A file that cannot be trusted is reported in <see cref="Untrusted"/>, never skipped or changed.</summary>
    /// <exception cref="DirectoryLockedException">Another process has it.</exception>
    /// <exception cref="ForeignDirectoryException">It belongs to a node of another name.</exception>
    public static NodeStore Open(string directory, string nodeName, TimeProvider? time = null) => Open(DiskVolume.Instance, directory, nodeName, time);

    internal static NodeStore Open(
        IVolume volume, string directory, string nodeName, TimeProvider? time, long checkpointIntervalBytes = FileLayout.CheckpointIntervalBytes)
    {
        if (Names.WhyNotKey(nodeName) is { } reason)
        {
            throw new ArgumentException($"node name '{nodeName}': {reason}", nameof(nodeName));
        }

        return new NodeStore(volume, Path.GetFullPath(directory), nodeName, time ?? TimeProvider.System, checkpointIntervalBytes);
    }

    /// <summary>Records the cluster the node belongs to, once (synced).</summary>
    /// <exception cref="ForeignDirectoryException">It belongs to another.</exception>
    public void JoinCluster(Guid cookie)
    {
        lock (_changes)
        {
            if (Identity.Cookie is { } known && known != cookie)
            {
                throw new ForeignDirectoryException(_directory, $"it belongs to the cluster {known:N}, not to {cookie:N}. Point the silo at its own chain store, or name another directory.");
            }

            if (Identity.Cookie is null)
            {
                var joined = Identity with { Cookie = cookie };
                joined.Save(_volume, _directory);
                Identity = joined;
            }
        }
    }

    /// <summary>Keeps what the chain store may have of this directory (synced): see <see cref="NodeIdentity.Starts"/>.</summary>
    public void KeepStarts(IReadOnlyList<NodeStart> starts)
    {
        lock (_changes)
        {
            var kept = Identity with { Starts = starts };
            kept.Save(_volume, _directory);
            Identity = kept;
        }
    }

    /// <summary>The segment, or false. Does not wait: until the segment is recovered, its own calls do.</summary>
    public bool TryGet(Guid segmentId, int generation, out Segment? segment) => _segments.TryGetValue((segmentId, generation), out segment);

    /// <summary>The log's segment that is prepared or open here, or null.</summary>
    public Segment? CurrentWriteSegment(Guid logId) => Recovered().Values
        .Where(s => s.Header.LogId == logId && s.State <= SegmentState.Open)
        .MaxBy(s => s.Header.Identity.Epoch);

    /// <summary>Makes a segment file, of the spare if there is one: header synced, directory entry synced. The same header again
    /// answers the same segment; another header under the same id is refused.</summary>
    /// <param name="header">What the file will say of itself.</param>
    /// <param name="durability">What it is meant for: a file for the durable tail is written through with zeroes ahead, one for
    /// the mapped tail is only allocated. Its writer may be of the other kind, at a loss of speed.</param>
    /// <exception cref="DiskFullException">No room; nothing is left behind.</exception>
    /// <exception cref="ArgumentException">The header is not one a file may have.</exception>
    public Segment Create(SegmentHeader header, Durability durability = Durability.Durable)
    {
        ArgumentNullException.ThrowIfNull(header);
        if (SegmentHeaderCodec.WhyNot(header) is { } reason)
        {
            throw new ArgumentException(reason, nameof(header));
        }

        Recovered();
        lock (_changes)
        {
            var key = (header.Identity.Id, header.Identity.Generation);
            if (_segments.TryGetValue(key, out var known))
            {
                return SameClaim(known.Header, header)
                    ? known
                    : throw new StorageException($"{known.Path}: a segment of this id exists with another header. Take a new segment id.");
            }

            var folder = LogFolder(header.LogId);
            var path = SegmentPath(header.LogId, header.Identity.ToString());
            if (_volume.Exists(path) && !_spares.IsOne(header.LogId, path))
            {
                throw new StorageException($"{path}: the file exists and is not trusted. Take a new segment id.");
            }

            _volume.CreateDirectory(folder);
            _spares.Take(header.LogId, path, header.FileBytes, SegmentLoader.PreparationFor(durability));
            return _segments[key] = SegmentLoader.Claim(_host, path, header);
        }
    }

    /// <summary>Makes the file a later <see cref="Create"/> of this log will take (a spare), unless there is one: allocated, marked and synced, in about the time
    /// of a roll. It is removed at the next start if nothing claims it.</summary>
    /// <param name="logId">The log.</param>
    /// <param name="segmentId">The segment expected to claim it. Another one may: that costs a rename and a directory sync then.</param>
    /// <param name="fileBytes">The size that will be asked for; a spare of another size is thrown away.</param>
    /// <param name="durability">As in <see cref="Create"/>.</param>
    /// <exception cref="DiskFullException">No room; nothing is left behind.</exception>
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    public void PrepareSpare(Guid logId, Guid segmentId, long fileBytes, Durability durability = Durability.Durable) => InBackground(() =>
    {
        _volume.CreateDirectory(LogFolder(logId));
        var path = SegmentPath(logId, new SegmentIdentity(segmentId, 0, 0).ToString());
        if (_volume.Exists(path) && !_spares.IsOne(logId, path))
        {
            throw new StorageException($"{path}: the file exists. Take a new segment id.");
        }

        _spares.Prepare(logId, path, fileBytes, SegmentLoader.PreparationFor(durability));
    });

    /// <summary>Writes the log's spare through with zeroes, if it is one for the durable tail, in step with the segment being written: ready when that is seven
    /// eighths full, or after some seconds. Returns then, or once a segment has claimed it, as ready as it is. Takes long.</summary>
    /// <exception cref="IOException">The disk refuses; there is no spare any more.</exception>
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    public void WriteSpareThrough(Guid logId) => InBackground(() =>
    {
        var written = CurrentWriteSegment(logId);
        _spares.WriteThrough(logId, () => written is null ? 1 : ((double)written.Tail.Offset / written.Header.FileBytes - SpareFrom) / (SpareReady - SpareFrom), _closing.Token);
    });

    /// <summary>Closing waits for it.</summary>
    private void InBackground(Action work)
    {
        ObjectDisposedException.ThrowIf(!_finishing.TryAddCount(), this);
        try
        {
            work();
        }
        finally
        {
            _finishing.Signal();
        }
    }

    /// <summary>Keeps a chain if it is newer than the one kept (synced); answers the version now kept.</summary>
    public long SaveChain(SavedChain chain)
    {
        ArgumentNullException.ThrowIfNull(chain);
        lock (_changes)
        {
            if (_chains.TryGetValue(chain.LogId, out var kept) && kept.Version >= chain.Version)
            {
                return kept.Version;
            }

            var folder = LogFolder(chain.LogId);
            _volume.CreateDirectory(folder);
            chain.Save(_volume, folder);
            _chains[chain.LogId] = chain;
            _untrusted.TryRemove(Path.Combine(folder, SavedChain.FileName), out _);
            return chain.Version;
        }
    }

    /// <summary>Moves a segment's file, which the chain no longer lists, out of the way: kept under <c>aside/</c> beside a note
    /// that says why, not erased. Nothing happens to one that was set aside before.</summary>
    /// <exception cref="DiskFullException">No room for the note; the segment stays where it is.</exception>
    public void SetAside(Segment segment, string reason)
    {
        ArgumentNullException.ThrowIfNull(segment);
        Recovered();
        lock (_changes)
        {
            var header = segment.Header;
            var key = (header.Identity.Id, header.Identity.Generation);
            if (!_segments.ContainsKey(key))
            {
                return;
            }

            _aside.Move(segment.Path, header.LogId, reason, () =>
            {
                _segments.TryRemove(key, out _);
                segment.Dispose();
            });
            if (_segments.Values.All(s => s.Header.LogId != header.LogId) && _heads.TryRemove(header.LogId, out var heads))
            {
                heads.Remove();
            }

            _volume.SyncDirectory(LogFolder(header.LogId));
        }
    }

    /// <summary>The stats of all segments.</summary>
    public IReadOnlyList<ReplicaStats> GetStats() => [.. Recovered().Values.Select(s => s.GetStats())];

    /// <summary>Runs a function over all segments, at most <paramref name="parallelism"/> at once, off the caller's thread;
    /// the first error ends the rest and is thrown.</summary>
    public async Task ForEachSegmentAsync(
        Func<Segment, CancellationToken, ValueTask> visit, int parallelism, CancellationToken cancellation = default)
    {
        await _recovering.ConfigureAwait(false);
        var options = new ParallelOptions { MaxDegreeOfParallelism = parallelism, CancellationToken = cancellation };
        await Parallel.ForEachAsync(_segments.Values, options, visit).ConfigureAwait(false);
    }

    /// <summary>Finishes writes in flight, closes the files and gives the directory free. From then on this store neither reads nor writes there: another
    /// process may, and a file that is made shorter under a map that is read ends the process.</summary>
    public void Dispose()
    {
        StopFinishing();
        _idleCheckpoints.Dispose();
        Recovered();
        lock (_changes)
        {
            foreach (var heads in _heads.Values)
            {
                heads.Dispose();
            }

            CloseSegments();
            _lock.Dispose();
        }
    }

    private static bool SameClaim(SegmentHeader a, SegmentHeader b) =>
        a.Ensemble.SequenceEqual(b.Ensemble) && a with { Ensemble = b.Ensemble, CreatedTicks = b.CreatedTicks } == b;

    private string SegmentPath(Guid logId, string segment) => Path.Combine(LogFolder(logId), segment + DirectoryScan.SegmentExtension);

    private string LogFolder(Guid logId) => Path.Combine(_directory, LogsFolder, logId.ToString("N"));

    private void CloseSegments()
    {
        foreach (var segment in _segments.Values)
        {
            segment.Dispose();
        }
    }

    private ConcurrentDictionary<(Guid Id, int Generation), Segment> Recovered()
    {
        _recovering.GetAwaiter().GetResult();
        return _segments;
    }

    private void Distrust(string path, Guid? segmentId, Guid? logId, string problem, bool unreadable) =>
        _untrusted[path] = new UntrustedFile(path, segmentId, logId, problem, unreadable);

    private void CheckpointIdle()
    {
        foreach (var segment in _segments.Values)
        {
            if (segment.State == SegmentState.Open)
            {
                segment.CheckpointIfIdle(IdleBeforeCheckpoint);
            }
        }
    }
}
