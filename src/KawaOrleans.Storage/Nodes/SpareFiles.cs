using System.Collections.Concurrent;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Nodes;

/// <summary>Files made ahead, one a log at the most, so that a roll does not wait for the disk: prepared, marked as spare, synced,
/// under the name of the segment that is expected to claim them, directory entry included.</summary>
internal sealed class SpareFiles(IVolume volume)
{
    private const string Prefix = "spare-";
    private const string Extension = ".new";

    private readonly ConcurrentDictionary<Guid, Spare> _spares = new();
    private long _made;

    /// <summary>True for a file whose making was cut short; it holds nothing and is removed at start.</summary>
    public static bool IsUnfinished(string fileName) => fileName.EndsWith(Extension, StringComparison.Ordinal);

    /// <summary>True for a file that no segment has claimed; it holds nothing and is removed at start.</summary>
    public static bool IsUnclaimed(IVolume volume, string path)
    {
        using var file = volume.Open(path, writable: false);
        var begin = new byte[FileLayout.FirstFrame];
        return SpareSector.Is(begin.AsSpan(0, file.Read(0, begin)), file.Length);
    }

    /// <summary>True for the path of this log's spare.</summary>
    public bool IsOne(Guid logId, string path) => _spares.TryGetValue(logId, out var spare) && spare.Path == path;

    /// <summary>Makes the log's spare under this path, unless it has one.</summary>
    public void Prepare(Guid logId, string path, long bytes, Preparation preparation)
    {
        if (!_spares.ContainsKey(logId))
        {
            Make(path, bytes, preparation);
            if (!_spares.TryAdd(logId, new Spare(path, bytes, preparation)))
            {
                volume.Delete(path);
            }
        }
    }

    /// <summary>Gives the spare of this log, or a new file, this path. From here on it is the caller's.</summary>
    public void Take(Guid logId, string path, long bytes, Preparation preparation)
    {
        if (_spares.TryRemove(logId, out var spare))
        {
            if (spare.Bytes == bytes && spare.Preparation == preparation)
            {
                if (spare.Path != path)
                {
                    // Before the header is written: a file never says that it is another than its name.
                    volume.Rename(spare.Path, path);
                    volume.SyncDirectory(Path.GetDirectoryName(path)!);
                }

                return;
            }

            volume.Delete(spare.Path);
        }

        Make(path, bytes, preparation);
    }

    private void Make(string path, long bytes, Preparation preparation)
    {
        var folder = Path.GetDirectoryName(path)!;
        var unfinished = Path.Combine(folder, $"{Prefix}{Interlocked.Increment(ref _made)}{Extension}");
        using (var file = volume.Create(unfinished, bytes, preparation))
        {
            file.Write(FileLayout.Header, SpareSector.Encode(bytes));
            file.Sync();
        }

        volume.Rename(unfinished, path);
        volume.SyncDirectory(folder);
    }

    private sealed record Spare(string Path, long Bytes, Preparation Preparation);
}
