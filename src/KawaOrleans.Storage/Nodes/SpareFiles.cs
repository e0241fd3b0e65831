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

    // A step that is not wanted yet is made after so long all the same: a file of 256 MiB is ready after eight seconds at the latest.
    private const int MostWaits = 4;
    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(2);

    private readonly ConcurrentDictionary<Guid, SpareFile> _spares = new();
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
            var spare = new SpareFile(volume, Unfinished(path), path, bytes, preparation);
            if (!_spares.TryAdd(logId, spare))
            {
                spare.Release();
                volume.Delete(path);
            }
        }
    }

    /// <summary>Writes the log's spare through, as far as it is wanted at a time, until all of it is or somebody takes it.</summary>
    /// <param name="logId">The log.</param>
    /// <param name="wanted">How much of it should be ready by now, 0 to 1. It is gone ahead of by one step each time this says less for long.</param>
    /// <param name="closing">Ends it early.</param>
    /// <exception cref="IOException">The disk refuses: the spare is gone.</exception>
    public void WriteThrough(Guid logId, Func<double> wanted, CancellationToken closing)
    {
        if (!_spares.TryGetValue(logId, out var spare))
        {
            return;
        }

        try
        {
            while (spare.WriteStep())
            {
                for (var waits = 0; waits < MostWaits && wanted() < spare.Ready; waits++)
                {
                    closing.WaitHandle.WaitOne(Wait);
                }

                if (closing.IsCancellationRequested)
                {
                    spare.Release();
                }
            }
        }
        catch (IOException) when (_spares.TryRemove(KeyValuePair.Create(logId, spare)))
        {
            volume.Delete(spare.Path);
            throw;
        }
    }

    /// <summary>Gives the spare of this log, or a new file, this path. From here on it is the caller's.</summary>
    public void Take(Guid logId, string path, long bytes, Preparation preparation)
    {
        if (_spares.TryRemove(logId, out var spare))
        {
            spare.Release();
            if (spare.Suits(bytes, preparation))
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

        var made = new SpareFile(volume, Unfinished(path), path, bytes, preparation);
        try
        {
            made.WriteBeginning();
            made.Release();
        }
        catch
        {
            volume.Delete(path);
            throw;
        }
    }

    private string Unfinished(string path) =>
        Path.Combine(Path.GetDirectoryName(path)!, $"{Prefix}{Interlocked.Increment(ref _made)}{Extension}");
}
