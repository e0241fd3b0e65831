using KawaOrleans.Tests.History;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>A batch that someone wants in a log, whatever it takes: the same ids in each try.</summary>
/// <param name="Events">The events.</param>
/// <param name="Expected">What is expected of streams, or null.</param>
/// <param name="Reached">A position that the log had reached when it was first tried.</param>
internal sealed record CallersBatch(IReadOnlyList<EventData> Events, StreamExpectations? Expected, long Reached)
{
    public EventBatch Encoded { get; } = EventBatch.Encode([.. Events]);

    public List<CallersTry> Tries { get; } = [];

    /// <summary>Where it lies, once someone was told.</summary>
    public long? First { get; set; }

    /// <summary>The revisions that were told with it, for each stream of which something was expected.</summary>
    public IReadOnlyList<long>? ToldRevisions { get; set; }

    /// <summary>Nobody was told yet what became of it.</summary>
    public bool IsUnsettled => First is null && !IsRefused;

    /// <summary>It is not in the log and never will be.</summary>
    public bool IsRefused { get; set; }

    /// <summary>False for a segment before one that a try went to: no client goes back (docs/PROTOCOL.md, P20).</summary>
    public bool MayGoTo(ChainSegment segment) => Tries.TrueForAll(attempt => attempt.Segment.Epoch <= segment.Epoch);
}

/// <summary>One try to append a batch.</summary>
/// <param name="Recorded">What the history knows of it.</param>
/// <param name="Segment">Where it was sent.</param>
/// <param name="WasTold">Whether its caller knew already that the batch is in the log.</param>
internal sealed record CallersTry(RecordedAppend Recorded, ChainSegment Segment, bool WasTold)
{
    /// <summary>Whether the node may still act on it: it is on its way, or waits there in a process that lives.</summary>
    public Func<bool> MayStillHappen { get; set; } = static () => true;

    /// <summary>Whether it was decided when no other try of its batch was on its way.</summary>
    public bool IsAlone { get; set; }
}
