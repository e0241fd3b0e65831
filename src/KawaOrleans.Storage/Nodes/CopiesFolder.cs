using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage.Nodes;

/// <summary>Replicas on their way from other nodes: in a folder of their own until they are sealed, so that nothing reads them or counts on them.</summary>
/// <param name="host">What the segments of the store share.</param>
/// <param name="directory">The data directory.</param>
/// <param name="aside">Where those go that a copy replaces.</param>
internal sealed class CopiesFolder(SegmentHost host, string directory, AsideFolder aside)
{
    public const string Name = "copies";

    // A copy that is sealed is not served yet.
    private readonly SegmentHost _host = host with { WhenSealed = null };
    private readonly string _folder = Path.Combine(directory, Name);

    /// <summary>Begins a copy, or goes on with the one that was begun.</summary>
    /// <exception cref="DiskFullException">No room; nothing is left behind.</exception>
    /// <exception cref="ArgumentException">The header is not one a file may have, or not one of several replicas.</exception>
    public ReplicaCopy Begin(SegmentHeader header)
    {
        if (!header.IsOneOfSeveral)
        {
            throw new ArgumentException("The only replica of a segment is no copy of another.", nameof(header));
        }

        var path = Path.Combine(_folder, $"{header.LogId:N}-{header.Identity}{DirectoryScan.SegmentExtension}");
        if (Begun(path, header) is { } begun)
        {
            return begun;
        }

        _host.Volume.CreateDirectory(_folder);
        _host.Volume.Delete(path);

        // Written once from front to back: zeroes ahead would only double the bytes.
        return Fenced(SegmentLoader.Create(_host, path, header, Durability.Mapped), header, isResumed: false);
    }

    /// <summary>Gives a sealed copy the name of its segment's replica. A file that has it is set aside first, never erased. Cut off anywhere, it is done
    /// again with the same copy.</summary>
    /// <param name="copy">The copy, sealed and closed.</param>
    /// <param name="path">The name.</param>
    /// <param name="reason">Why the file that has it goes.</param>
    /// <param name="close">Closes that.</param>
    /// <exception cref="DiskFullException">No room for the note beside it; all stays as it is.</exception>
    public void Install(ReplicaCopy copy, string path, string reason, Action close)
    {
        var folder = Path.GetDirectoryName(path)!;
        _host.Volume.CreateDirectory(folder);
        if (_host.Volume.Exists(path))
        {
            aside.Move(path, copy.Header.LogId, reason, close);
        }
        else
        {
            close();
        }

        _host.Volume.Rename(copy.Path, path);
        _host.Volume.SyncDirectory(folder);
        _host.Volume.SyncDirectory(_folder);
    }

    /// <summary>Removes the copies that were begun of these logs, but those of these segments. Whoever knows nothing of a log does not know that
    /// its copies are not needed.</summary>
    public void Discard(IReadOnlySet<Guid> logs, IReadOnlySet<Guid> needed)
    {
        if (!_host.Volume.Exists(_folder))
        {
            return;
        }

        foreach (var name in _host.Volume.Files(_folder).Where(name => IsOneOf(logs, name) && !IsOneOf(needed, name)))
        {
            _host.Volume.Delete(Path.Combine(_folder, name));
        }
    }

    private static bool IsOneOf(IReadOnlySet<Guid> ids, string name) => ids.Any(id => name.Contains(id.ToString("N"), StringComparison.Ordinal));

    private ReplicaCopy? Begun(string path, SegmentHeader header)
    {
        if (!_host.Volume.Exists(path))
        {
            return null;
        }

        try
        {
            var begun = SegmentLoader.Load(_host, path, writable: true);
            var found = begun.Header;
            if ((found.Identity, found.LogId, found.BasePosition, found.FileBytes) == (header.Identity, header.LogId, header.BasePosition, header.FileBytes))
            {
                return Fenced(begun, header, isResumed: true);
            }

            begun.Dispose();
        }
        catch (StorageException)
        {
            // Cut off while it was made, or written out of order by a power loss: nothing rests on it.
        }

        return null;
    }

    /// <summary>A copy never had a writer and never has one: it is fenced from the start.</summary>
    private static ReplicaCopy Fenced(Segment segment, SegmentHeader header, bool isResumed)
    {
        try
        {
            if (segment.State < SegmentState.Fenced)
            {
                segment.Fence(header.ChainVersion);
            }

            return new ReplicaCopy(segment, isResumed);
        }
        catch
        {
            segment.Dispose();
            throw;
        }
    }
}
