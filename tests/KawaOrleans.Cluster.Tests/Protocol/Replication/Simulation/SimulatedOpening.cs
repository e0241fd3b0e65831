using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>A primary's tenure: writes, feeds its followers as the rules say, and tells callers what is acknowledged.</summary>
internal sealed class SimulatedOpening(SimulatedNode node, Chain chain, Segment segment, SegmentWriter writer, ReplicatedOpening rules)
{
    private readonly List<(long End, Action Acknowledge)> _waiting = [];

    public SimulatedNode Node => node;

    public Chain Chain => chain;

    public Segment Segment => segment;

    public ReplicatedOpening Rules => rules;

    /// <summary>Writes and syncs a batch; acknowledged once enough hold it.</summary>
    /// <exception cref="StorageException">Full, fenced, or the disk failed.</exception>
    public long Append(EventBatch batch, Action<long> acknowledged)
    {
        var appended = writer.AppendAsync(batch).AsTask().GetAwaiter().GetResult();
        _waiting.Add((appended.First + appended.Count, () => acknowledged(appended.First)));
        node.Wrote(segment);
        if (rules.Wrote(SimulatedNode.TailOf(segment)))
        {
            Acknowledge();
        }

        return appended.First;
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
            Acknowledge();
        }
    }

    private void Acknowledge()
    {
        segment.Learn(rules.Committed);
        foreach (var (_, acknowledge) in _waiting.Where(batch => batch.End <= rules.Committed).ToList())
        {
            acknowledge();
        }

        _waiting.RemoveAll(batch => batch.End <= rules.Committed);
    }
}
