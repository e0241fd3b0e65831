using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>The way of one node's changer to all nodes.</summary>
internal sealed class SimulatedNodes(SimulatedNetwork network, SimulatedNode self) : INodes
{
    // As wrong as cluster membership may be: the dead are still among the living, and found out by their silence.
    public IReadOnlyList<string> Live => [.. network.Nodes.Select(node => node.Name)];

    public Task<NodeAnswer<NodeReport>> Report(string node, CancellationToken cancellation) =>
        network.Ask(self, node, "report", found => Known(found.Report()));

    /// <summary>Most reports are taken for true, so that segments whose writers are well are ended too.</summary>
    public Task<NodeAnswer<WriterStanding>> Standing(string node, Guid segmentId, int generation, CancellationToken cancellation) =>
        network.Ask(self, node, "standing", found => Known(new WriterStanding(
            found.Opening(segmentId) is { Rules.CannotCommit: null } && network.World.Chance(network.Trouble) ? null : "it was reported")
        {
            IsAcknowledged = found.Opening(segmentId) is { } opening && opening.Rules.Committed >= opening.Segment.Tail.Position,
        }));

    public Task<NodeAnswer<Prepared>> Prepare(string node, NewSegment segment, CancellationToken cancellation) =>
        network.Ask(self, node, $"prepare {Short(segment.Segment.Id)} from {segment.Segment.Base}", found => Known(found.Prepare(segment)));

    public async Task<NodeAnswer<FencedTail>> Fence(string node, Guid logId, Guid segmentId, int generation, CancellationToken cancellation)
    {
        switch (network.Bug)
        {
            case PlantedBug.TailsWithoutFence:
                var looked = await network.Ask(self, node, $"look at the tail of {Short(segmentId)}", found => Known(found.Fence(logId, segmentId, onlyLook: true)));
                _ = network.Ask(self, node, $"fence {Short(segmentId)}", found => Known(found.Fence(logId, segmentId)));
                return looked;
            case PlantedBug.DamageIsNoSuchEntry:
                return await network.Ask(self, node, $"fence {Short(segmentId)}", found => found.HasNothingToSay(segmentId)
                    ? Known(new FencedTail(found.Saved(logId)?.Segments.FirstOrDefault(segment => segment.Id == segmentId)?.Base ?? 0, 0, null, 0))
                    : Known(found.Fence(logId, segmentId)));
            default:
                return await network.Ask(self, node, $"fence {Short(segmentId)}", found => Known(found.Fence(logId, segmentId)));
        }
    }

    public async Task<NodeAnswer<long>> Complete(
        string node, Guid logId, Guid segmentId, int generation, string source, long end, CancellationToken cancellation)
    {
        // The steps of the node that completes itself; its own messages are the ones that may be lost.
        var shorter = network.Node(node);
        var what = $"complete {Short(segmentId)} from {source} to {end}";
        var tail = await network.Ask(self, node, what, found => Known(found.Complete(segmentId, default, default)));
        while (tail.IsKnown && tail.Value.Position < end)
        {
            var from = tail.Value;
            var groups = await network.Ask(shorter, source, $"groups of {Short(segmentId)} from {from.Position}",
                found => Known(found.ReadGroups(segmentId, from.Offset, 600)));
            if (groups is not { IsKnown: true, Value: { Length: > 0 } bytes })
            {
                return new NodeAnswer<long>(0, groups.Unknown ?? "the source has no more");
            }

            tail = await network.Ask(self, node, what, found => Known(found.Complete(segmentId, from, bytes)));
        }

        return new NodeAnswer<long>(tail.Value.Position, tail.Unknown);
    }

    public Task<NodeAnswer<long>> Announce(string node, Chain chain, CancellationToken cancellation) =>
        network.Ask(self, node, $"announce chain {chain.Version}", found => Known(found.Announce(chain)));

    public Task<NodeAnswer<IReadOnlyList<LogInventory>>> Inventory(string node, string? logName, CancellationToken cancellation) =>
        network.Ask(self, node, "inventory", found => Known(found.Inventory(logName)));

    public static string Short(Guid id) => id.ToString("N")[..4];

    private static NodeAnswer<T> Known<T>(T value) => new(value, null);
}
