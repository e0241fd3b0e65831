using KawaOrleans.Server.Nodes;

namespace KawaOrleans.Cluster.Tests.Segments;

public sealed class PlacementTests
{
    [Fact]
    public async Task A_segment_is_served_by_the_silo_that_owns_its_file()
    {
        await using var cluster = await KawaCluster.Start(3);
        for (var i = 0; i < 6; i++)
        {
            var log = await new PlainLog(cluster.Client, $"log-{i}").Create();
            await log.Append(PlainLog.Batch(3));
            var segment = (await log.Directory.GetChain()).WriteSegment!;
            var owner = int.Parse(segment.Primary["node-".Length..], System.Globalization.CultureInfo.InvariantCulture);

            var stats = await log.Grain(segment).GetStats();

            Assert.StartsWith(KawaCluster.DataDirectory(cluster.Root, owner), stats.Path, StringComparison.Ordinal);
            Assert.NotNull(cluster.Service<LocalNode>(owner).Find(segment.Id));
            Assert.Equal(3, stats.Events);
        }
    }

    [Fact]
    public async Task Logs_spread_over_the_live_nodes()
    {
        await using var cluster = await KawaCluster.Start(3);
        var primaries = new HashSet<string>();
        for (var i = 0; i < 9; i++)
        {
            var log = await new PlainLog(cluster.Client, $"log-{i}").Create();
            await log.Append(PlainLog.Batch(1));
            primaries.Add((await log.Directory.GetChain()).WriteSegment!.Primary);
        }

        Assert.Equal(3, primaries.Count);
    }

    [Fact]
    public async Task A_dead_owner_is_a_typed_error_and_other_logs_go_on()
    {
        await using var cluster = await KawaCluster.Start(3);
        var logs = new List<(PlainLog Log, ChainSegment Segment)>();
        for (var i = 0; i < 9; i++)
        {
            var log = await new PlainLog(cluster.Client, $"log-{i}").Create();
            await log.Append(PlainLog.Batch(1));
            logs.Add((log, (await log.Directory.GetChain()).WriteSegment!));
        }

        await cluster.Kill(2);
        var (lost, segment) = logs.First(entry => entry.Segment.Primary == "node-2");

        var error = await Assert.ThrowsAsync<NodeUnavailableException>(async () => await lost.Grain(segment).Append(Block.Of(PlainLog.Batch(1))));
        Assert.Equal("node-2", error.Node);
        Assert.True(error.IsRetryable);

        foreach (var (log, other) in logs.Where(entry => entry.Segment.Primary != "node-2"))
        {
            await log.Append(PlainLog.Batch(1));
            Assert.Equal(2, (await log.Read()).Count);
        }

        var description = await lost.Directory.Describe();
        Assert.Contains("node-2", description.WhyNotWritable, StringComparison.Ordinal);
        Assert.Equal(ReplicaState.Unknown, description.Segments[^1].State);
        Assert.Contains("node-2", description.Segments[^1].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_names_no_node_is_refused_and_the_cluster_goes_on()
    {
        await using var cluster = await KawaCluster.Start(1);
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await cluster.Client.GetGrain<ISegmentGrain>(Guid.NewGuid(), "No Such").GetStats());
        await Assert.ThrowsAsync<NodeUnavailableException>(async () => await cluster.Client.GetGrain<ISegmentGrain>(Guid.NewGuid(), "node-9").GetStats());
        var missing = await Assert.ThrowsAsync<SegmentFaultedException>(async () => await cluster.Client.GetGrain<ISegmentGrain>(Guid.NewGuid(), "node-0").GetStats());
        Assert.Contains("no file", missing.Message, StringComparison.Ordinal);
        var refused = Assert.IsType<NotPrimary>(await cluster.Client.GetGrain<ISegmentGrain>(Guid.NewGuid(), "node-0").Append(Block.Of(PlainLog.Batch(1))));
        Assert.Contains("no file", refused.Reason, StringComparison.Ordinal);

        var log = new PlainLog(cluster.Client, "fine");
        await log.Append(PlainLog.Batch(1));
        Assert.Single(await log.Read());
    }
}
