using KawaOrleans.Storage;
using KawaOrleans.Storage.Inspection;
using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Cli;

/// <summary>What a command was pointed at: a data directory, whose lock it holds, or one segment file.</summary>
internal sealed class Target : IDisposable
{
    private readonly IDisposable? _lock;

    private Target(InspectedDirectory? directory, IReadOnlyList<(Guid? LogId, string Path)> files, string? around, IDisposable? held) =>
        (Directory, Files, Around, _lock) = (directory, files, around, held);

    /// <summary>Null for a single file.</summary>
    public InspectedDirectory? Directory { get; }

    /// <summary>The segment files, and the log whose folder they lie in, if they do.</summary>
    public IReadOnlyList<(Guid? LogId, string Path)> Files { get; }

    /// <summary>The data directory that it is or lies in, or null.</summary>
    public string? Around { get; }

    /// <param name="path">A data directory or a segment file.</param>
    /// <param name="changes">True for a command that writes: then the lock is taken also for a single file of a data directory.</param>
    /// <exception cref="DirectoryLockedException">A silo is running on it.</exception>
    /// <exception cref="RefusedException">It is neither.</exception>
    public static Target Open(string path, bool changes)
    {
        path = Path.GetFullPath(path);
        var volume = DiskVolume.Instance;
        if (File.Exists(path))
        {
            var around = InspectedDirectory.Around(volume, path);
            return new Target(null, [(null, path)], around, changes && around is not null ? InspectedDirectory.Lock(volume, around) : null);
        }

        if (!InspectedDirectory.IsOne(volume, path))
        {
            throw new RefusedException(
                System.IO.Directory.Exists(path)
                    ? $"{path}: not a data directory, it has neither a 'node' file nor a 'logs' folder. Name a silo's data directory or one .seg file."
                    : $"{path}: there is no such file or directory.",
                ExitCode.Unusable);
        }

        var held = InspectedDirectory.Lock(volume, path);
        try
        {
            var directory = InspectedDirectory.Read(volume, path);
            return new Target(directory, [.. directory.Segments.Select(static s => ((Guid?)s.LogId, s.Path))], path, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Why a segment does not belong where its file lies, or null.</summary>
    public static string? WhyMisplaced(Guid? logId, InspectedSegment segment) =>
        logId is { } log && segment.Header is { } header ? DirectoryScan.WhyMisplaced(segment.Path, log, header) : null;

    public void Dispose() => _lock?.Dispose();
}
