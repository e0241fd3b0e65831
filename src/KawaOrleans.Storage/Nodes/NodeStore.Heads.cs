using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage;

// The last event of every stream of a log before a segment.
public sealed partial class NodeStore
{
    /// <summary>True when this node knows the last event of every stream of the log before a segment: without that the segment cannot be written.</summary>
    public bool HasHeadsBefore(SegmentHeader header)
    {
        ArgumentNullException.ThrowIfNull(header);
        Recovered();
        return header.Predecessor is null || HeadsOf(header.LogId).HasBefore(header.BasePosition);
    }

    /// <summary>The runs of heads of a log, made to cover all of its segments that have ended here: for another node, which goes on writing it.</summary>
    /// <exception cref="DiskFullException">No room to make them.</exception>
    /// <exception cref="SegmentDamagedException">A segment does not verify.</exception>
    public IReadOnlyList<HeadRunFile> HeadRuns(Guid logId)
    {
        Recovered();
        return [.. HeadsOf(logId).MergedRuns().Select(static run => new HeadRunFile(run.From, run.To, run.Bytes))];
    }

    /// <summary>A part of a run of heads.</summary>
    /// <exception cref="StorageException">There is no such run any more: it was merged into another.</exception>
    public byte[] ReadHeadRun(Guid logId, long from, long to, long offset, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var run = HeadsOf(logId).Find(from, to)
            ?? throw new StorageException($"{LogFolder(logId)}: the run of heads over [{from}, {to}) was merged into another. Ask for the runs again.");
        return offset >= run.Bytes ? [] : run.Part(offset, count);
    }

    /// <summary>Begins to take a run of heads from another node; null when it is here already.</summary>
    /// <exception cref="DiskFullException">No room; nothing is left behind.</exception>
    public HeadRunCopy? ReceiveHeadRun(Guid logId, HeadRunFile run)
    {
        var heads = HeadsOf(logId);
        if (heads.Find(run.From, run.To) is not null)
        {
            return null;
        }

        _volume.CreateDirectory(LogFolder(logId));
        return new HeadRunCopy(_volume, heads, HeadMerge.PathOf(LogFolder(logId), run.From, run.To), run.Bytes);
    }

    /// <summary>Covers all sealed segments that have their footers with runs of heads, and waits for it.</summary>
    internal void MergeHeads()
    {
        foreach (var logId in _segments.Values.Select(static s => s.Header.LogId).Distinct())
        {
            HeadsOf(logId).Merge();
        }
    }

    private LogHeads HeadsOf(Guid logId) =>
        _heads.GetOrAdd(logId, id => new LogHeads(_volume, LogFolder(id), id, () => _segments.Values.Where(s => s.Header.LogId == id)));

    /// <summary>Covers the log's sealed segments with few runs of heads.</summary>
    private void MergeHeads(Guid logId)
    {
        try
        {
            HeadsOf(logId).MergeUnlessMerging();
        }
        catch (IOException)
        {
            // No room, or a segment that does not verify and says so itself: look-ups go on in more places, the next seal tries again.
        }
    }
}
