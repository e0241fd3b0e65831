using System.Collections.Concurrent;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Nodes;

/// <summary>Allocated, headerless files, one a log at the most, so that a roll does not wait for the disk.</summary>
internal sealed class SpareFiles(IVolume volume)
{
    private const string Prefix = "spare-";
    private const string Extension = ".new";

    private readonly ConcurrentDictionary<Guid, (string Path, long Bytes)> _spares = new();
    private long _made;

    /// <summary>True for a file that was never claimed; it holds nothing and is removed at start.</summary>
    public static bool IsUnfinished(string fileName) => fileName.EndsWith(Extension, StringComparison.Ordinal);

    public void Prepare(Guid logId, string folder, long bytes)
    {
        if (!_spares.ContainsKey(logId))
        {
            var path = Make(folder, bytes);
            if (!_spares.TryAdd(logId, (path, bytes)))
            {
                volume.Delete(path);
            }
        }
    }

    /// <summary>The path of an allocated file of this size, which now is the caller's.</summary>
    public string Take(Guid logId, string folder, long bytes)
    {
        if (_spares.TryRemove(logId, out var spare))
        {
            if (spare.Bytes == bytes)
            {
                return spare.Path;
            }

            volume.Delete(spare.Path);
        }

        return Make(folder, bytes);
    }

    private string Make(string folder, long bytes)
    {
        var path = Path.Combine(folder, $"{Prefix}{Interlocked.Increment(ref _made)}{Extension}");
        using var file = volume.Create(path, bytes);
        file.Sync();
        return path;
    }
}
