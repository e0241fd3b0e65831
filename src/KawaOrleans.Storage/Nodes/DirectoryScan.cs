using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Nodes;

/// <summary>What lies under <c>logs/</c>: every entry is either a file of ours or told of, none is passed over.</summary>
internal sealed class DirectoryScan
{
    public const string SegmentExtension = ".seg";

    private readonly IVolume _volume;
    private readonly bool _changes;

    private DirectoryScan(IVolume volume, bool changes) => (_volume, _changes) = (volume, changes);

    public List<(Guid LogId, string Path)> Segments { get; } = [];

    public List<(Guid LogId, string Folder)> Chains { get; } = [];

    /// <summary>Runs of heads: they can be made again.</summary>
    public List<(Guid LogId, string Path)> Runs { get; } = [];

    public List<UntrustedFile> Strangers { get; } = [];

    /// <summary>Lists the folder, removes files that were never claimed, and makes what it lists durable: an entry that only the
    /// page cache knows would take acknowledged events with it.</summary>
    public static DirectoryScan Run(IVolume volume, string logs) => Run(volume, logs, changes: true);

    /// <summary>Lists the folder and leaves everything as it is.</summary>
    public static DirectoryScan Look(IVolume volume, string logs) => Run(volume, logs, changes: false);

    private static DirectoryScan Run(IVolume volume, string logs, bool changes)
    {
        var scan = new DirectoryScan(volume, changes);
        scan.Strangers.AddRange(volume.Files(logs).Select(name => Stranger(Path.Combine(logs, name), logId: null)));
        foreach (var name in volume.Directories(logs))
        {
            var folder = Path.Combine(logs, name);
            if (Guid.TryParseExact(name, "N", out var logId))
            {
                scan.ListOrTell(logId, folder);
            }
            else
            {
                scan.Strangers.Add(Stranger(folder, logId: null));
            }
        }

        if (changes)
        {
            volume.SyncDirectory(logs);
        }

        return scan;
    }

    private void ListOrTell(Guid logId, string folder)
    {
        try
        {
            List(logId, folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Strangers.Add(new UntrustedFile(
                folder, null, logId, $"{folder}: cannot be listed ({e.Message}). What it holds is unknown. Check the medium and the permissions, then restart.", IsUnreadable: true));
        }
    }

    private void List(Guid logId, string folder)
    {
        foreach (var name in _volume.Directories(folder))
        {
            Strangers.Add(Stranger(Path.Combine(folder, name), logId));
        }

        foreach (var name in _volume.Files(folder))
        {
            var path = Path.Combine(folder, name);
            if (name.EndsWith(SegmentExtension, StringComparison.Ordinal))
            {
                ListSegment(logId, path);
            }
            else if (name == SavedChain.FileName)
            {
                Chains.Add((logId, folder));
            }
            else if (HeadMerge.IsRun(name))
            {
                Runs.Add((logId, path));
            }
            else if (SpareFiles.IsUnfinished(name))
            {
                if (_changes)
                {
                    _volume.Delete(path);
                }
            }
            else
            {
                Strangers.Add(Stranger(path, logId));
            }
        }

        if (_changes)
        {
            _volume.SyncDirectory(folder);
        }
    }

    private void ListSegment(Guid logId, string path)
    {
        bool isSpare;
        try
        {
            isSpare = SpareFiles.IsUnclaimed(_volume, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Strangers.Add(new UntrustedFile(path, SegmentIdOf(path), logId, new SegmentUnreadableException(path, e).Message, IsUnreadable: true));
            return;
        }

        if (!isSpare)
        {
            Segments.Add((logId, path));
        }
        else if (_changes)
        {
            _volume.Delete(path);
        }
    }

    private static UntrustedFile Stranger(string path, Guid? logId) => new(
        path, SegmentIdOf(path), logId, $"{path}: not a file of this store. Move it out of the data directory; if it took the place of one, restore that.", IsUnreadable: false);

    /// <summary>Why a segment does not belong where its file lies, or null.</summary>
    public static string? WhyMisplaced(string path, Guid logId, SegmentHeader header) =>
        header.LogId == logId && Path.GetFileName(path) == $"{header.Identity}{SegmentExtension}"
            ? null
            : $"{path}: it holds segment {header.Identity} of log {header.LogId:N}, not the one its name says. Give it that name in that log's folder, or restore the file from a copy.";

    /// <summary>The segment that a file's name says it holds.</summary>
    public static Guid? SegmentIdOf(string path) =>
        Path.GetExtension(path) == SegmentExtension && Guid.TryParseExact(Path.GetFileName(path).Split('-')[0], "N", out var id) ? id : null;
}
