using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;

namespace KawaOrleans.Cluster.Tests.Nodes;

public sealed class ReplicaCompletionTests
{
    [Fact]
    public async Task A_fenced_replica_takes_what_it_lacks_from_another_node()
    {
        await using var cluster = await KawaCluster.Start(2);
        var nodes = cluster.Service<NodesClient>(0);
        var ensemble = new List<ChainNode>();
        foreach (var name in new[] { "node-0", "node-1" })
        {
            ensemble.Add((await nodes.Report(name, default)).Value!.Node);
        }

        var claim = new NewSegment
        {
            LogId = Guid.NewGuid(), LogName = "orders", ChainVersion = 1, Predecessor = null, TimestampFloor = 0,
            Segment = new ChainSegment
            {
                Id = Guid.NewGuid(), Generation = 0, Epoch = 1, Base = 10, End = null, Ensemble = ensemble, AckQuorum = 2, FileBytes = 8 << 20,
            },
        };
        foreach (var node in ensemble)
        {
            Assert.True((await nodes.Prepare(node.Name, claim, default)).IsKnown);
        }

        // More than one message takes.
        var (longer, shorter) = (Replica(0), Replica(1));
        var writer = longer.OpenWriter(Guid.NewGuid());
        for (var i = 0; i < 30; i++)
        {
            await writer.AppendAsync(EventBatch.Of(new EventData($"order-{i % 5}", "placed", new byte[100_000])));
        }

        Assert.False((await Complete(40)).IsKnown); // not fenced
        foreach (var node in ensemble)
        {
            Assert.True((await nodes.Fence(node.Name, claim.LogId, claim.Segment.Id, 0, default)).IsKnown);
        }

        Assert.Equal(new NodeAnswer<long>(40, null), await Complete(40));
        Assert.Equal(longer.Tail, shorter.Tail);
        Assert.Equal(longer.ReadGroups(8192, int.MaxValue).ToArray(), shorter.ReadGroups(8192, int.MaxValue).ToArray());
        Assert.Equal(new NodeAnswer<long>(40, null), await Complete(50)); // the other has no more

        Segment Replica(int silo) => cluster.Service<LocalNode>(silo).Find(claim.Segment.Id)!;

        Task<NodeAnswer<long>> Complete(long end) => nodes.Complete("node-1", claim.LogId, claim.Segment.Id, 0, "node-0", end, default);
    }
}
