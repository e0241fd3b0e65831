using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Volumes;
using MemoryPack;

namespace KawaOrleans.Storage.Inspection;

/// <summary>A data directory as it lies there: read, never changed.</summary>
internal sealed class InspectedDirectory
{
    private readonly List<SavedChain> _chains = [];
    private readonly List<UntrustedFile> _untrusted = [];
    private readonly List<DamagedPlace> _damage = [];

    private InspectedDirectory(IVolume volume, string directory)
    {
        Path = directory;
        Record(System.IO.Path.Combine(directory, NodeIdentity.FileName), logId: null, () => Identity = NodeIdentity.Read(volume, directory)
            ?? throw new ForeignDirectoryException(directory, $"it holds logs but no '{NodeIdentity.FileName}' file, so whose it is is unknown. Restore that file."));
        var scan = DirectoryScan.Look(volume, System.IO.Path.Combine(directory, NodeStore.LogsFolder));
        _untrusted.AddRange(scan.Strangers);
        Segments = scan.Segments;
        foreach (var (logId, folder) in scan.Chains)
        {
            var path = System.IO.Path.Combine(folder, SavedChain.FileName);
            Record(path, logId, () =>
            {
                var chain = SavedChain.Read(volume, folder);
                _chains.Add(chain?.LogId == logId ? chain : throw new StorageException($"{path}: it holds the chain of log {chain?.LogId:N}, not of the one its folder says."));
            });
        }
    }

    public string Path { get; }

    public NodeIdentity? Identity { get; private set; }

    public IReadOnlyList<SavedChain> Chains => _chains;

    /// <summary>Files that are named like segments, and the log whose folder they lie in.</summary>
    public IReadOnlyList<(Guid LogId, string Path)> Segments { get; }

    /// <summary>Everything else that is not as it must be.</summary>
    public IReadOnlyList<UntrustedFile> Untrusted => _untrusted;

    /// <summary>Which of those are records that do not hold what was written.</summary>
    public IReadOnlyList<DamagedPlace> Damage => _damage;

    /// <summary>Takes the lock that a running silo holds.</summary>
    /// <exception cref="DirectoryLockedException">A running process has it.</exception>
    public static IDisposable Lock(IVolume volume, string directory) => volume.Lock(directory, NodeStore.LockName);

    public static bool IsOne(IVolume volume, string directory) =>
        volume.Exists(System.IO.Path.Combine(directory, NodeIdentity.FileName)) || volume.Exists(System.IO.Path.Combine(directory, NodeStore.LogsFolder));

    /// <summary>The data directory that a segment's file lies in, or null.</summary>
    public static string? Around(IVolume volume, string segmentPath)
    {
        var logs = System.IO.Path.GetDirectoryName(System.IO.Path.GetDirectoryName(segmentPath));
        return System.IO.Path.GetFileName(logs) == NodeStore.LogsFolder && System.IO.Path.GetDirectoryName(logs) is { } directory
            && volume.Exists(System.IO.Path.Combine(directory, NodeIdentity.FileName)) ? directory : null;
    }

    public static InspectedDirectory Read(IVolume volume, string directory) => new(volume, directory);

    private void Record(string path, Guid? logId, Action read)
    {
        try
        {
            read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MemoryPackSerializationException)
        {
            var known = e is StorageException or MemoryPackSerializationException;
            var problem = e is StorageException ? e.Message : known ? $"{path}: {e.Message}" : new SegmentUnreadableException(path, e).Message;
            if (known)
            {
                _damage.Add(new DamagedPlace(path, 0, problem));
            }

            _untrusted.Add(new UntrustedFile(path, null, logId, problem, IsUnreadable: !known));
        }
    }
}
