using KawaOrleans.Format;
using KawaOrleans.Storage.Inspection;
using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage;

// Replicas that come from other nodes, and looking for those that must.
public sealed partial class NodeStore
{
    /// <summary>Begins a copy of a segment that has ended, or goes on with the one that was begun.</summary>
    /// <exception cref="DiskFullException">No room; nothing is left behind.</exception>
    /// <exception cref="ArgumentException">The header is not one a file may have, or not one of several replicas.</exception>
    public ReplicaCopy BeginCopy(SegmentHeader header)
    {
        ArgumentNullException.ThrowIfNull(header);
        return _copies.Begin(header);
    }

    /// <summary>Removes the copies that were begun of these logs, but those of these segments.</summary>
    public void DiscardCopies(IReadOnlySet<Guid> logs, IReadOnlySet<Guid> needed)
    {
        ArgumentNullException.ThrowIfNull(logs);
        ArgumentNullException.ThrowIfNull(needed);
        _copies.Discard(logs, needed);
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
            var path = SegmentPath(header.LogId, header.Identity.ToString());
            _copies.Install(copy, path, reason, () => Close(key));
            _untrusted.TryRemove(path, out _);
            var segment = SegmentLoader.LoadUnrecovered(_host, path, writable: true, found => DirectoryScan.WhyMisplaced(path, header.LogId, found));
            _segments[key] = segment;
            FinishLater(segment);
            return segment;
        }
    }

    /// <summary>Reads every frame of a sealed segment's file from the disk. A file with something wrong is among <see cref="Untrusted"/> from then on.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="problem">What is wrong, in a sentence, or null.</param>
    /// <param name="progress">Is told the offset that was reached, on this thread, before each step.</param>
    /// <returns>False when nothing was read: the segment has no footer yet.</returns>
    public bool TryVerify(Segment segment, out string? problem, IProgress<long>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(segment);
        var header = segment.Header;
        problem = null;
        try
        {
            if (SegmentInspection.Verify(_volume, segment.Path, progress).Damage is [var place, ..])
            {
                var damage = new SegmentDamagedException(place.Path, place.Offset, place.Found);
                Distrust(segment, damage);
                problem = damage.Message;
            }

            return true;
        }
        catch (SegmentUnreadableException e)
        {
            Distrust(segment.Path, header.Identity.Id, header.LogId, e.Message, unreadable: true);
            problem = e.Message;
            return true;
        }
        catch (StorageException)
        {
            // The footer is being written, or could not be: there was no room, or what it rests on was damaged, and may have been mended since.
            if (!IsFinishing)
            {
                FinishLater(segment);
            }

            return false;
        }
    }

    /// <summary>Takes a replica for damaged in which a frame does not verify: it is among <see cref="Untrusted"/> from then on.</summary>
    public void Distrust(Segment segment, SegmentDamagedException damage)
    {
        ArgumentNullException.ThrowIfNull(segment);
        ArgumentNullException.ThrowIfNull(damage);
        Distrust(segment.Path, segment.Header.Identity.Id, segment.Header.LogId, damage.Message, unreadable: false);
    }

    private void Close((Guid Id, int Generation) key)
    {
        if (_segments.TryRemove(key, out var known))
        {
            known.Dispose();
        }
    }
}
