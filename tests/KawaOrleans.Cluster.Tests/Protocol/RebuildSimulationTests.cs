using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.Protocol;

/// <summary>A log rolls over three nodes while messages get lost; then the store is lost, and some nodes are away.</summary>
public class RebuildSimulationTests
{
    [Fact]
    public async Task A_rebuild_is_exact_or_refused_and_what_is_given_up_is_what_is_said()
    {
        var first = int.TryParse(Environment.GetEnvironmentVariable("KAWA_SEED"), out var replayed) ? replayed : Random.Shared.Next(1_000_000_000);
        var (exact, refused) = (0, 0);
        for (var seed = first; seed < first + (replayed == 0 ? 1500 : 1); seed++)
        {
            try
            {
                if (await Run(seed))
                {
                    exact++;
                }
                else
                {
                    refused++;
                }
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message}", e);
            }
        }

        Assert.True(replayed != 0 || (exact > 200 && refused > 200), $"{exact} exact, {refused} refused");
    }

    /// <summary>True when the rebuild needed nobody given up.</summary>
    private static async Task<bool> Run(int seed)
    {
        var cluster = await FakeCluster.Joined(3, seed);
        var world = cluster.World;
        var acknowledged = await Live(cluster);
        var last = cluster.Stored.Chains.GetValueOrDefault("orders")?.Value;
        world.Loss = 0;
        if (world.Chance(0.3))
        {
            cluster.Stored.Catalogue = null;
        }

        cluster.Stored.Chains.Clear();
        foreach (var node in cluster.Nodes)
        {
            node.IsUp = world.Chance(0.75);
        }

        var changer = cluster.NewChanger();
        try
        {
            var rebuilt = await changer.Rebuild("orders", [], default);
            Assert.Empty(rebuilt.Losses);
            Assert.True(ChainRules.Agree(last! with { Version = last.Version + 1 }, rebuilt.Chain), "the chain that was lost is not the one rebuilt");
            return true;
        }
        catch (UnknownLogException)
        {
            // No answering node has a trace of it.
            Assert.All(acknowledged, batch => Assert.False(cluster.Node(batch.Node).IsUp));
            return false;
        }
        catch (ChainStoreException refusal) when (refusal.Problem == ChainStoreProblem.CannotRebuild)
        {
            Assert.Matches("Bring it back and retry|Start them|Start all nodes|Start the nodes", refusal.Message);
        }

        try
        {
            var rebuilt = await changer.Rebuild("orders", [RebuildCommand.EveryMissingNode], default);
            Assert.Null(ChainRules.Validate(rebuilt.Chain));
            if (rebuilt.Losses.Count == 0)
            {
                // Only the list of logs needed the others.
                Assert.True(ChainRules.Agree(last! with { Version = last.Version + 1 }, rebuilt.Chain));
                return false;
            }

            var end = ChainRules.End(rebuilt.Chain);
            Assert.Contains(rebuilt.Losses, loss => loss.Contains($"from position {end} on", StringComparison.Ordinal));
            Assert.True(rebuilt.Chain.Version > last!.Version && rebuilt.Chain.Epoch > last.Epoch);
            foreach (var batch in acknowledged)
            {
                // Kept where it was appended, or behind the end and therefore said to be lost: never elsewhere.
                Assert.True(batch.First >= end || rebuilt.Chain.Find(batch.First)?.Id == batch.SegmentId, $"{batch} is elsewhere");
                Assert.True(batch.First >= end || rebuilt.Chain.Find(batch.End - 1)?.Id == batch.SegmentId, $"{batch} is cut");
            }
        }
        catch (UnknownLogException)
        {
            Assert.All(acknowledged, batch => Assert.False(cluster.Node(batch.Node).IsUp));
        }
        catch (ChainStoreException refusal) when (refusal.Problem == ChainStoreProblem.CannotRebuild)
        {
            Assert.Contains("no answering node was told", refusal.Message, StringComparison.Ordinal);
        }

        return false;
    }

    private static async Task<List<(string Node, Guid SegmentId, long First, long End)>> Live(FakeCluster cluster)
    {
        var world = cluster.World;
        var acknowledged = new List<(string, Guid, long, long)>();
        world.Loss = world.Chance(0.5) ? 0 : 0.1;
        for (var turn = world.Random.Next(30); turn > 0; turn--)
        {
            foreach (var node in cluster.Nodes)
            {
                (node.IsUp, node.RefusesToPrepare) = (!world.Chance(0.1), world.Chance(0.3));
            }

            var open = cluster.Stored.Chains.GetValueOrDefault("orders")?.Value.WriteSegment?.Id;
            try
            {
                await cluster.First.OpenWriteSegment("orders", world.Chance(0.5) ? open : null, 0, default);
            }
            catch (KawaException)
            {
                // Lost messages; the next turn goes on from whatever is there.
            }

            if (cluster.Stored.Chains.GetValueOrDefault("orders")?.Value is { WriteSegment: { } segment } chain
                && cluster.Owner(chain).Append(chain.LogId, segment.Id, world.Random.Next(1, 5)) is { } batch)
            {
                acknowledged.Add((segment.Primary, segment.Id, batch.First, batch.End));
            }
        }

        return acknowledged;
    }
}
