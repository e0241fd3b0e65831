using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication;

/// <summary>Somebody says that a segment of several replicas takes no appends.</summary>
public sealed class ReportTests
{
    [Fact]
    public async Task A_report_about_a_primary_that_goes_on_is_answered_with_the_chain_as_it_is()
    {
        var (cluster, chain) = await Replicated(3, 2, 3);
        cluster.Owner(chain).WhyEnd = null;
        var answer = await cluster.First.OpenWriteSegment("orders", chain.WriteSegment!.Id, 0, default);
        Assert.Equal((chain.Version, chain.WriteSegment.Id), (answer.Version, answer.WriteSegment!.Id));
        Assert.False(cluster.Asked.Calls.ContainsKey("Fence"));
        Assert.All(cluster.Nodes, node => Assert.Equal(ReplicaState.Prepared, node.Replicas[chain.WriteSegment.Id].State));
    }

    [Fact]
    public async Task A_silent_primary_is_believed_dead_though_the_cluster_calls_it_alive()
    {
        var (cluster, chain) = await Replicated(3, 2, 3);
        var dead = cluster.Owner(chain);
        (dead.WhyEnd, dead.IsDeaf) = (null, true);
        var next = await cluster.First.OpenWriteSegment("orders", chain.WriteSegment!.Id, 0, default);
        Assert.DoesNotContain(dead.Node, next.WriteSegment!.Ensemble);
        Assert.Equal(2, next.WriteSegment.Ensemble.Count);
    }

    [Fact]
    public async Task Whoever_knows_only_an_older_segment_is_not_sent_to_a_silent_primary()
    {
        var (cluster, first) = await Replicated(3, 2, 3);
        var second = await cluster.Rolled("orders", 10);
        cluster.Owner(second).IsDeaf = true;
        var next = await cluster.NewChanger().OpenWriteSegment("orders", first.WriteSegment!.Id, 0, default);
        Assert.NotEqual(second.WriteSegment!.Id, next.WriteSegment!.Id);
        Assert.DoesNotContain(cluster.Owner(second).Node, next.WriteSegment.Ensemble);
    }

    /// <summary>It answers that all is well, and was told of no segment that it could write: the log would wait for it as long as it lives.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_primary_that_can_be_asked_but_not_told_is_ended_and_not_chosen_again(bool isReported)
    {
        var (cluster, chain) = await Replicated(3, 2, 3);
        var deaf = cluster.Owner(chain);
        (deaf.WhyEnd, deaf.CannotBeTold) = (null, true);

        var next = await cluster.NewChanger().OpenWriteSegment("orders", isReported ? chain.WriteSegment!.Id : null, 0, default);

        Assert.NotEqual(chain.WriteSegment!.Id, next.WriteSegment!.Id);
        Assert.DoesNotContain(deaf.Node, next.WriteSegment.Ensemble);
        Assert.Equal(2, next.WriteSegment.Ensemble.Count);
    }

    [Fact]
    public async Task While_no_node_can_be_told_of_a_segment_each_is_tried_once_and_the_reason_is_told()
    {
        var (cluster, chain) = await Replicated(3, 2, 3);
        foreach (var node in cluster.Nodes)
        {
            (node.WhyEnd, node.CannotBeTold) = (null, true);
        }

        var refused = await Assert.ThrowsAsync<LogNotWritableException>(() => cluster.NewChanger().OpenWriteSegment("orders", chain.WriteSegment!.Id, 0, default));

        Assert.Contains("it was not reached to be told of its segment", refused.Reason, StringComparison.Ordinal);
        Assert.InRange(cluster.Nodes.Max(static node => node.Replicas.Count), 1, 3);
        foreach (var node in cluster.Nodes)
        {
            node.CannotBeTold = false;
        }

        Assert.Equal(3, (await cluster.NewChanger().OpenWriteSegment("orders", null, 0, default)).WriteSegment!.Ensemble.Count);
    }

    [Fact]
    public async Task The_next_primary_is_one_that_holds_the_segment_to_its_end()
    {
        var (cluster, chain) = await Replicated(3, 2, 3);
        var open = chain.WriteSegment!;
        foreach (var (node, tail) in open.Ensemble.Zip([30L, 28, 30]))
        {
            (cluster.Node(node.Name).Replicas[open.Id].IsWritten, cluster.Node(node.Name).Replicas[open.Id].Tail) = (true, tail);
        }

        cluster.Node(open.Ensemble[0].Name).IsUp = false;
        var next = await cluster.First.OpenWriteSegment("orders", open.Id, 0, default);
        Assert.Equal([open.Ensemble[2], open.Ensemble[1]], next.WriteSegment!.Ensemble);
    }

    [Fact]
    public async Task A_segment_on_fewer_nodes_than_wanted_is_ended_for_one_on_all_once_they_live()
    {
        var (cluster, chain) = await Replicated(3, 2, 3);
        foreach (var node in cluster.Nodes)
        {
            node.WhyEnd = null;
        }

        var away = cluster.Node(chain.WriteSegment!.Ensemble[0].Name);
        away.IsUp = false;
        var two = await cluster.First.OpenWriteSegment("orders", chain.WriteSegment.Id, 0, default);
        Assert.Equal(2, two.WriteSegment!.Ensemble.Count);
        Assert.Equal(two.Version, (await cluster.First.OpenWriteSegment("orders", two.WriteSegment.Id, 0, default)).Version);

        // Alive, but without room: nothing is gained by ending the segment.
        (away.IsUp, away.FreeBytes) = (true, 0);
        Assert.Equal(two.Version, (await cluster.First.OpenWriteSegment("orders", two.WriteSegment.Id, 0, default)).Version);

        away.FreeBytes = 1L << 40;
        Assert.Equal(3, (await cluster.First.OpenWriteSegment("orders", two.WriteSegment.Id, 0, default)).WriteSegment!.Ensemble.Count);
    }

    [Fact]
    public async Task A_log_that_too_few_nodes_can_go_on_with_is_ended_where_it_is_and_says_what_is_missing()
    {
        var (cluster, chain) = await Replicated(2, 2, 2);
        var open = chain.WriteSegment!;
        foreach (var node in cluster.Nodes)
        {
            (node.Replicas[open.Id].IsWritten, node.Replicas[open.Id].Tail) = (true, 30);
        }

        var away = cluster.Node(open.Ensemble[1].Name);
        away.IsUp = false;
        for (var twice = 0; twice < 2; twice++)
        {
            var refused = await Assert.ThrowsAsync<LogNotWritableException>(() => cluster.First.OpenWriteSegment("orders", open.Id, 0, default));
            Assert.Contains("2 nodes are needed and 1 can take a segment", refused.Reason, StringComparison.Ordinal);
            Assert.Contains($"'{away.Name}'", refused.Reason, StringComparison.Ordinal);
            var ended = cluster.Stored.Chains["orders"].Value;
            Assert.Equal((null, 30), (ended.WriteSegment, Assert.Single(ended.Segments).End));
            Assert.Equal(ReplicaState.Sealed, cluster.Owner(chain).Replicas[open.Id].State);
        }

        away.IsUp = true;
        Assert.Equal(30, (await cluster.First.OpenWriteSegment("orders", open.Id, 0, default)).WriteSegment!.Base);
    }

    [Fact]
    public async Task A_log_that_its_first_append_creates_has_the_options_for_new_logs()
    {
        var cluster = await FakeCluster.Joined(3);
        var changer = new ChainChanger(
            new FakeRecords(cluster.World, cluster.Stored, () => false), cluster.Asked, cluster.World.NewId, new LogOptions { Replicas = 3, AckQuorum = 2 });
        var chain = await changer.OpenWriteSegment("orders", null, 0, default);
        Assert.Equal((3, 2), (chain.WriteSegment!.Ensemble.Count, chain.WriteSegment.AckQuorum));
    }

    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(2, 2, true)]
    [InlineData(3, 2, true)]
    [InlineData(5, 3, true)]
    [InlineData(2, 1, false)]
    [InlineData(3, 1, false)]
    [InlineData(3, 3, false)]
    [InlineData(4, 3, false)]
    [InlineData(5, 2, false)]
    [InlineData(0, 0, false)]
    public void Replicas_and_ack_quorum_are_a_pair_that_bears_as_many_deaths_as_it_can(int replicas, int ackQuorum, bool taken)
    {
        var reason = new LogOptions { Replicas = replicas, AckQuorum = ackQuorum }.WhyNot();
        Assert.Equal(taken, reason is null);
        if (reason is not null)
        {
            Assert.Contains($"{replicas}/{ackQuorum} is not", reason, StringComparison.Ordinal);
            Assert.Contains("1/1", reason, StringComparison.Ordinal);
        }
    }

    private static async Task<(FakeCluster Cluster, Chain Chain)> Replicated(int replicas, int quorum, int nodes)
    {
        var cluster = await FakeCluster.Joined(nodes);
        await cluster.First.CreateLog("orders", new LogOptions { Replicas = replicas, AckQuorum = quorum }, default);
        return (cluster, await cluster.First.OpenWriteSegment("orders", null, 0, default));
    }
}
