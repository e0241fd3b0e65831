using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>A primary's tenure: writes, feeds its followers as the rules say, and tells callers what became of their batches once all that
/// rests on is acknowledged.</summary>
internal sealed class SimulatedOpening(SimulatedNode node, Chain chain, Segment segment, SegmentWriter writer, ReplicatedOpening rules)
{
    private readonly List<(long RestsOn, Action<long> Tell)> _waiting = [];

    public SimulatedNode Node => node;

    public Chain Chain => chain;

    public Segment Segment => segment;

    public ReplicatedOpening Rules => rules;

    /// <summary>Decides of a batch; writes and syncs it if it is to be written. The outcome is told, with the position that it rests on, once
    /// enough nodes hold everything below that.</summary>
    /// <exception cref="StorageException">Full, fenced, or the disk failed.</exception>
    public BatchOutcome Append(EventBatch batch, long? retrySince, StreamExpectations? expected, Action<BatchOutcome, long> tell)
    {
        using var block = EventBlock.Parse(batch.Bytes);
        var appended = writer.AppendAsync(block, retrySince, expected is null ? null : [expected]).AsTask().GetAwaiter().GetResult();
        var outcome = appended.Outcomes?[0] ?? new BatchOutcome(BatchFate.Written, appended.First, appended.Count, appended.Timestamp);
        _waiting.Add((segment.Tail.Position, restsOn => tell(outcome, restsOn)));
        node.Wrote(segment);
        rules.Wrote(SimulatedNode.TailOf(segment));
        Tell();
        return outcome;
    }

    public FollowerAppend Message(FeedStep.Send send) => new()
    {
        LogId = chain.LogId, SegmentId = segment.Header.Identity.Id, Generation = 0, Epoch = segment.Header.Identity.Epoch,
        OpeningId = rules.OpeningId, From = send.From, Committed = send.Committed,
    };

    public void Answered(int follower, NodeAnswer<FollowerAnswer> answer)
    {
        if (rules.Answered(follower, answer))
        {
            Tell();
        }
    }

    private void Tell()
    {
        segment.Learn(rules.Committed);
        foreach (var (restsOn, tell) in _waiting.Where(batch => batch.RestsOn <= rules.Committed).ToList())
        {
            tell(restsOn);
        }

        _waiting.RemoveAll(batch => batch.RestsOn <= rules.Committed);
    }
}
