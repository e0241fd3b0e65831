using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using static KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation.SimulatedNodes;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>Brings together what a node has to know of a log before it writes its next segment: the heads of all streams and the newest events, from
/// its own segments or from whoever has them.</summary>
internal sealed class WriterKnowledge(SimulatedNetwork network, int remembered)
{
    /// <summary>The opening of a segment on a node: the one there is, or a new one if the rules allow it; or why not.</summary>
    /// <remarks>Never returns when the node's process ends on the way.</remarks>
    public async Task<(SimulatedOpening? Opening, string? WhyNot)> Open(SimulatedNode node, Guid logId, Guid segmentId)
    {
        if (node.Opening(segmentId) is null)
        {
            var found = network.Do(node, $"look at {Short(segmentId)}", here => new NodeAnswer<(Segment?, Chain?, string?)>(here.Writable(logId, segmentId), null));
            if (found.Unknown is { } unknown)
            {
                return (null, unknown);
            }

            if (found.Value is not ({ } segment, { } chain, null))
            {
                return (null, found.Value.Item3);
            }

            if (segment.State != SegmentState.Prepared)
            {
                return (null, "its writer is gone");
            }

            if (!node.HasHeadsBefore(segment.Header) && await FetchHeads(node, segment, chain) is { } missing)
            {
                return (null, missing);
            }

            if (segment.HasMemory || await Remember(node, segment, chain) is not { } memory)
            {
                return (null, "someone else opens it");
            }

            var opened = network.Do(node, $"open {Short(segmentId)}", here => new NodeAnswer<SimulatedOpening>(
                here.Opening(segmentId) ?? (here.Writable(logId, segmentId) is ({ } now, { } then, null) ? here.Open(now, then, memory) : null), null));
            if (opened.Unknown is not null)
            {
                return (null, opened.Unknown);
            }
        }

        // A newer chain may have ended it since.
        var writable = node.Saved(logId) is { } newest ? WriterRule.WhyNot(newest, segmentId, node.Name) : "no chain is kept here";
        return writable is null ? (node.Opening(segmentId), "it was not opened") : (null, writable);
    }

    private async Task<string?> FetchHeads(SimulatedNode node, Segment segment, Chain chain)
    {
        var heads = new FetchedHeads();
        foreach (var before in chain.Segments.Where(listed => listed.Base < segment.Header.BasePosition))
        {
            var events = await FromAny(node, before, "events", here => here.Get(before.Id).State == SegmentState.Sealed
                ? here.Read(before.Id, before.Base, before.End!.Value - before.Base)
                : throw new StorageException("not sealed yet"));
            if (events is null)
            {
                return $"nobody tells the events of {Short(before.Id)}";
            }

            heads.Add(events);
        }

        node.TakeHeads(segment.Header.Identity.Id, heads);
        return null;
    }

    private async Task<WriterMemory> Remember(SimulatedNode node, Segment segment, Chain chain)
    {
        var first = segment.Header.BasePosition;
        var earlier = chain.Segments.Where(listed => listed.Base < first).ToList();
        if (earlier.Count > 0 && node.Segments.GetValueOrDefault(earlier[^1].Id)?.TakeMemory() is { } kept)
        {
            kept.ForgetFrom(first);
            if (kept.End == first)
            {
                return kept;
            }
        }

        var stretches = new Stack<byte[]>();
        var start = first;
        for (var i = earlier.Count - 1; i >= 0 && start > Math.Max(0, first - remembered); i--)
        {
            var (listed, from, to) = (earlier[i], Math.Max(earlier[i].Base, first - remembered), start);
            if (await FromAny(node, listed, "newest events", here => here.Get(listed.Id).Remember(from, to) is { } found
                && found.Length == (to - from) * WriterMemory.EventBytes ? found : throw new StorageException("it has fewer events")) is not { } stretch)
            {
                break;
            }

            stretches.Push(stretch);
            start = from;
        }

        var memory = new WriterMemory(remembered, start);
        foreach (var stretch in stretches)
        {
            memory.Add(stretch);
        }

        return memory;
    }

    /// <summary>What some holder of a segment answers, this node first; null when none does.</summary>
    private async Task<T?> FromAny<T>(SimulatedNode node, ChainSegment listed, string what, Func<SimulatedNode, T> read)
        where T : class
    {
        foreach (var holder in listed.Ensemble.OrderBy(holder => holder.Name != node.Name))
        {
            var asked = $"{what} of {Short(listed.Id)}";
            NodeAnswer<T> Act(SimulatedNode here) => new(read(here), null);
            var answer = holder.Name == node.Name ? network.Do(node, asked, Act) : await network.Ask(node, holder.Name, asked, Act);
            if (answer.Value is { } known)
            {
                return known;
            }
        }

        return null;
    }
}
