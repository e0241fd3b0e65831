using KawaOrleans.Format;
using KawaOrleans.Storage.Inspection;
using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage;

/// <summary>Replicas that come from other nodes, and looking for those that must.</summary>
public sealed partial class NodeStore
{
    internal const string CopiesFolder = "copies";

    /// <summary>Begins a copy of a segment that has ended, or goes on with the one that was begun.</summary>
    /// <exception cref="DiskFullException">No room; nothing is left behind.</exception>
    /// <exception cref="ArgumentException">The header is not one a file may have, or not one of several replicas.</exception>
    public ReplicaCopy BeginCopy(SegmentHeader header)
    {
        ArgumentNullException.ThrowIfNull(header);
        if (!header.IsOneOfSeveral)
        {
            throw new ArgumentException("The only replica of a segment is no copy of another.", nameof(header));
        }

        var path = CopyPath(header);
        if (Begun(path, header) is { } begun)
        {
            return begun;
        }

        _volume.CreateDirectory(Path.GetDirectoryName(path)!);
        _volume.Delete(path);

        // Written once from front to back: zeroes ahead would only double the bytes.
        return Fenced(SegmentLoader.Create(CopyHost, path, header, Durability.Mapped), header);
    }

    /// <summary>Removes the copies that were begun, but those of these segments.</summary>
    public void DiscardCopies(IReadOnlySet<Guid> needed)
    {
        ArgumentNullException.ThrowIfNull(needed);
        var folder = Path.Combine(_directory, CopiesFolder);
        if (!_volume.Exists(folder))
        {
            return;
        }

        foreach (var name in _volume.Files(folder).Where(name => !needed.Any(id => name.Contains(id.ToString("N"), StringComparison.Ordinal))))
        {
            _volume.Delete(Path.Combine(folder, name));
        }
    }

    /// <summary>Puts a sealed copy in the place of its segment's replica here. One that is there, good or bad, is set aside first, never
    /// erased. Cut off anywhere, it is done again with the same copy.</summary>
    /// <param name="copy">The copy, sealed; closed by this.</param>
    /// <param name="reason">Why the one that is there goes.</param>
    /// <exception cref="DiskFullException">No room for the note beside it; all stays as it is.</exception>
    public Segment Install(ReplicaCopy copy, string reason)
    {
        ArgumentNullException.ThrowIfNull(copy);
        Recovered();
        var header = copy.Header;
        copy.Dispose();
        lock (_changes)
        {
            var key = (header.Identity.Id, header.Identity.Generation);
            var folder = LogFolder(header.LogId);
            var path = SegmentPath(header.LogId, header.Identity.ToString());
            _volume.CreateDirectory(folder);
            if (_volume.Exists(path))
            {
                MoveAside(path, header.LogId, reason, () => Close(key));
            }
            else
            {
                Close(key);
            }

            _volume.Rename(copy.Path, path);
            _volume.SyncDirectory(folder);
            _volume.SyncDirectory(Path.GetDirectoryName(copy.Path)!);
            _untrusted.TryRemove(path, out _);
            var segment = SegmentLoader.LoadUnrecovered(_host, path, writable: true, found => DirectoryScan.WhyMisplaced(path, header.LogId, found));
            _segments[key] = segment;
            FinishLater(segment);
            return segment;
        }
    }

    /// <summary>Reads every frame of a sealed segment's file from the disk; what is wrong, in a sentence, or null. A file with something wrong is
    /// among <see cref="Untrusted"/> from then on.</summary>
    public string? Verify(Segment segment)
    {
        ArgumentNullException.ThrowIfNull(segment);
        var header = segment.Header;
        try
        {
            if (SegmentInspection.Verify(_volume, segment.Path).Damage is not [var place, ..])
            {
                return null;
            }

            var damage = new SegmentDamagedException(place.Path, place.Offset, place.Found);
            Distrust(segment.Path, header.Identity.Id, header.LogId, damage.Message, unreadable: false);
            return damage.Message;
        }
        catch (SegmentUnreadableException e)
        {
            Distrust(segment.Path, header.Identity.Id, header.LogId, e.Message, unreadable: true);
            return e.Message;
        }
        catch (StorageException)
        {
            return null; // its footer is being written: it is read whole for that
        }
    }

    private SegmentHost CopyHost => _host with { WhenSealed = null };

    private string CopyPath(SegmentHeader header) =>
        Path.Combine(_directory, CopiesFolder, $"{header.LogId:N}-{header.Identity}{DirectoryScan.SegmentExtension}");

    private void Close((Guid Id, int Generation) key)
    {
        if (_segments.TryRemove(key, out var known))
        {
            known.Dispose();
        }
    }

    private ReplicaCopy? Begun(string path, SegmentHeader header)
    {
        if (!_volume.Exists(path))
        {
            return null;
        }

        try
        {
            var begun = SegmentLoader.Load(CopyHost, path, writable: true);
            var found = begun.Header;
            if ((found.Identity, found.LogId, found.BasePosition, found.FileBytes) == (header.Identity, header.LogId, header.BasePosition, header.FileBytes))
            {
                return Fenced(begun, header);
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
    private static ReplicaCopy Fenced(Segment segment, SegmentHeader header)
    {
        try
        {
            if (segment.State < SegmentState.Fenced)
            {
                segment.Fence(header.ChainVersion);
            }

            return new ReplicaCopy(segment);
        }
        catch
        {
            segment.Dispose();
            throw;
        }
    }
}
