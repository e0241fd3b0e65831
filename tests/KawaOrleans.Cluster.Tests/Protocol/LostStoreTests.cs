using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.Protocol;

/// <summary>The chain store loses its records, or goes back in time; the nodes remember.</summary>
public class LostStoreTests
{
    [Fact]
    public async Task Lost_with_all_nodes_up_is_said_and_rebuilt_exactly()
    {
        var (cluster, chain) = await ThreeSegments();
        Lose(cluster);
        foreach (var call in Calls(cluster.NewChanger()))
        {
            var lost = await Assert.ThrowsAsync<ChainStoreException>(call);
            Assert.Equal(ChainStoreProblem.Lost, lost.Problem);
            Assert.Contains("kawa rebuild", lost.Message, StringComparison.Ordinal);
        }

        var cookie = cluster.Nodes[0].Cookie;
        var rebuilt = await cluster.NewChanger().Rebuild("orders", [], default);
        Assert.Empty(rebuilt.Losses);
        Assert.Equal(chain.Version + 1, rebuilt.Chain.Version);
        Assert.True(ChainRules.Agree(chain with { Version = chain.Version + 1 }, rebuilt.Chain));
        Assert.Equal(cookie, cluster.Stored.Catalogue!.Value.Cookie);
        Assert.NotNull(cluster.Owner(chain).Append(chain.LogId, chain.WriteSegment!.Id, 1));
        Assert.Equal(31, (await cluster.Rolled("orders", 1)).WriteSegment!.Base);
        Assert.Equal([new LogSummary("orders", chain.LogId)], await cluster.First.ListLogs(default));
    }

    [Fact]
    public async Task Lost_with_the_owner_of_the_last_segment_down_is_refused_with_the_command()
    {
        var (cluster, chain) = await ThreeSegments();
        cluster.Stored.Chains.Clear();
        var owner = cluster.Owner(chain);
        owner.IsUp = false;
        var refused = await Assert.ThrowsAsync<ChainStoreException>(() => cluster.NewChanger().Rebuild("orders", [], default));
        Assert.Equal(ChainStoreProblem.CannotRebuild, refused.Problem);
        Assert.Contains($"kawa rebuild --log orders --give-up {owner.Name}", refused.Message, StringComparison.Ordinal);
        Assert.Contains("from position 20 on", refused.Message, StringComparison.Ordinal);
        Assert.Empty(cluster.Stored.Chains);
        await Assert.ThrowsAsync<ChainStoreException>(() => cluster.NewChanger().Rebuild("orders", ["somebody-else"], default));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_given_up_owner_takes_its_open_segment_with_it_and_the_loss_is_said(bool all)
    {
        var (cluster, chain) = await ThreeSegments();
        cluster.Stored.Chains.Clear();
        var owner = cluster.Owner(chain);
        owner.IsUp = false;
        var rebuilt = await cluster.NewChanger().Rebuild("orders", [all ? RebuildCommand.EveryMissingNode : owner.Name], default);
        Assert.Contains("from position 20 on", rebuilt.Losses[0], StringComparison.Ordinal);
        Assert.Equal(20, ChainRules.End(rebuilt.Chain));
        Assert.True(rebuilt.Chain.Version >= chain.Version + RebuildPlan.Leap);

        var next = await cluster.Rolled("orders", 1);
        Assert.Equal(20, next.WriteSegment!.Base);
        Assert.True(next.Epoch > RebuildPlan.Leap);

        // The node returns after all: what it remembers is older, and its segment is in no chain.
        owner.IsUp = true;
        Assert.Equal(next.Version, (await cluster.NewChanger().Read("orders", default)).Version);
        owner.Announce(next);
        Assert.True(owner.Replicas[chain.WriteSegment!.Id].IsAside);
    }

    [Fact]
    public async Task A_given_up_node_that_holds_sealed_positions_leaves_them_in_the_chain_unreadable()
    {
        var (cluster, chain) = await ThreeSegments();
        var holder = cluster.Node(chain.Segments[0].Primary);
        var other = cluster.Owner(chain);
        Lose(cluster);
        holder.IsUp = false;
        other.IsUp = false;
        var rebuilt = await cluster.NewChanger().Rebuild("orders", [holder.Name, other.Name], default);
        Assert.Equal(2, rebuilt.Chain.Segments.Count);
        Assert.Contains(rebuilt.Losses, loss => loss.Contains($"positions [0, 10) are only on node '{holder.Name}'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_fenced_last_segment_means_that_a_newer_chain_may_have_been()
    {
        var (cluster, chain) = await ThreeSegments();
        cluster.Replica(chain.WriteSegment!).IsFenced = true;
        Lose(cluster);
        var refused = await Assert.ThrowsAsync<ChainStoreException>(() => cluster.NewChanger().Rebuild("orders", [], default));
        Assert.Equal(ChainStoreProblem.CannotRebuild, refused.Problem);
        Assert.Contains("is fenced: a newer one may have existed", refused.Message, StringComparison.Ordinal);

        var rebuilt = await cluster.NewChanger().Rebuild("orders", [RebuildCommand.EveryMissingNode], default);
        Assert.Equal(30, ChainRules.End(rebuilt.Chain));
        Assert.Contains("from position 30 on", rebuilt.Losses[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prepared_segment_of_a_claim_that_never_won_is_no_part_of_the_log()
    {
        var (cluster, chain) = await ThreeSegments();
        var elsewhere = cluster.Nodes.First(node => node != cluster.Owner(chain));
        elsewhere.Prepare(new NewSegment
        {
            LogId = chain.LogId, LogName = "orders", Predecessor = chain.WriteSegment!.Id, ChainVersion = chain.Version, TimestampFloor = 0,
            Segment = chain.WriteSegment with { Id = cluster.World.NewId(), Base = 30, Epoch = 4, Ensemble = [elsewhere.Node] },
        });
        Lose(cluster);
        var rebuilt = await cluster.NewChanger().Rebuild("orders", [], default);
        Assert.Equal(chain.Segments.Select(segment => segment.Id), rebuilt.Chain.Segments.Select(segment => segment.Id));
    }

    [Fact]
    public async Task One_node_alone_rebuilds_itself()
    {
        var cluster = await FakeCluster.Joined(1);
        var orders = await cluster.Rolled("orders", 10);
        await cluster.Rolled("bills", 10);
        var cookie = cluster.Nodes[0].Cookie;
        Lose(cluster);
        var restarted = cluster.NewChanger();
        Assert.Equal(cookie, (await restarted.Join(default)).Cookie);
        Assert.Equal(["bills", "orders"], (await restarted.ListLogs(default)).Select(log => log.Name));
        Assert.Equal(orders.Version + 1, (await restarted.Read("orders", default)).Version);

        cluster.Stored.Chains.Remove("orders");
        Assert.Equal(orders.Version + 2, (await cluster.NewChanger().OpenWriteSegment("orders", null, 0, default)).Version);
    }

    [Fact]
    public async Task One_node_alone_does_not_rebuild_what_may_have_been_elsewhere()
    {
        var (cluster, chain) = await ThreeSegments();
        Lose(cluster);
        foreach (var node in cluster.Nodes)
        {
            node.IsUp = node == cluster.Owner(chain);
        }

        var lost = await Assert.ThrowsAsync<ChainStoreException>(() => cluster.NewChanger().Read("orders", default));
        Assert.Equal(ChainStoreProblem.Lost, lost.Problem);
        await Assert.ThrowsAsync<ChainStoreException>(() => cluster.NewChanger().Join(default));
    }

    [Fact]
    public async Task Only_the_catalogue_lost_is_written_anew_with_every_log()
    {
        var (cluster, chain) = await ThreeSegments();
        cluster.Stored.Catalogue = null;
        Assert.Equal(chain.Version, (await cluster.NewChanger().Read("orders", default)).Version);
        await Assert.ThrowsAsync<ChainStoreException>(() => cluster.Rolled("orders", 1));
        var rebuilt = await cluster.NewChanger().RebuildAll([], default);
        Assert.Empty(rebuilt.Refusals);
        Assert.Equal(chain, Assert.Single(rebuilt.Logs).Chain);
        Assert.Equal(30, (await cluster.Rolled("orders", 1)).WriteSegment!.Base);
    }

    [Fact]
    public async Task Without_the_catalogue_every_known_node_answers_or_is_given_up()
    {
        var (cluster, chain) = await ThreeSegments();
        Lose(cluster);
        var idle = cluster.Nodes.First(node => node != cluster.Owner(chain));
        idle.IsUp = false;
        var refused = await Assert.ThrowsAsync<ChainStoreException>(() => cluster.NewChanger().RebuildAll([], default));
        Assert.Equal(ChainStoreProblem.CannotRebuild, refused.Problem);
        Assert.Contains(idle.Name, refused.Message, StringComparison.Ordinal);
        Assert.Null(cluster.Stored.Catalogue);
        var rebuilt = await cluster.NewChanger().RebuildAll([idle.Name], default);
        Assert.Equal(chain.Segments.Select(segment => segment.Id), Assert.Single(rebuilt.Logs).Chain.Segments.Select(segment => segment.Id));
        Assert.Equal(30, (await cluster.Rolled("orders", 1)).WriteSegment!.Base);
    }

    [Fact]
    public async Task One_log_that_cannot_be_rebuilt_does_not_keep_the_others()
    {
        var (cluster, chain) = await ThreeSegments();
        var others = cluster.Nodes.Where(node => node != cluster.Owner(chain)).ToList();
        var second = await cluster.First.OpenWriteSegment("bills", null, 0, default);
        Lose(cluster);
        cluster.Replica(second.WriteSegment!).IsFenced = true;
        var rebuilt = await cluster.NewChanger().RebuildAll([], default);
        Assert.Equal("orders", Assert.Single(rebuilt.Logs).Chain.LogName);
        Assert.Contains("'bills'", Assert.Single(rebuilt.Refusals), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_went_back_in_time_stops_the_log_and_says_both_versions()
    {
        var (cluster, chain) = await ThreeSegments();
        var older = chain with { Version = 2, Segments = [chain.Segments[0] with { End = null }], Epoch = 1 };
        cluster.Stored.Chains["orders"] = cluster.Stored.Tagged(older);
        foreach (var changer in new[] { cluster.First, cluster.NewChanger() })
        {
            foreach (var call in Calls(changer).SkipLast(1))
            {
                var stopped = await Assert.ThrowsAsync<ChainStoreException>(call);
                Assert.Equal(ChainStoreProblem.RolledBack, stopped.Problem);
                Assert.Contains("has version 2", stopped.Message, StringComparison.Ordinal);
                Assert.Contains("was told version 4", stopped.Message, StringComparison.Ordinal);
            }
        }

        Assert.True(ChainRules.Agree(chain with { Version = 5 }, (await cluster.First.Rebuild("orders", [], default)).Chain));
        Assert.Equal(30, (await cluster.Rolled("orders", 1)).WriteSegment!.Base);
    }

    [Fact]
    public async Task A_rolled_back_store_is_noticed_when_the_node_that_knows_better_returns()
    {
        var (cluster, chain) = await ThreeSegments();
        foreach (var node in cluster.Nodes.Where(node => node.Saved.GetValueOrDefault(chain.LogId)?.Version > 2))
        {
            node.IsUp = false;
        }

        cluster.Stored.Chains["orders"] = cluster.Stored.Tagged(chain with { Version = 2, Segments = [chain.Segments[0] with { End = null }], Epoch = 1 });
        var changer = cluster.NewChanger();
        Assert.Equal(2, (await changer.Read("orders", default)).Version);
        foreach (var node in cluster.Nodes)
        {
            node.IsUp = true;
        }

        var stopped = await Assert.ThrowsAsync<ChainStoreException>(() => changer.Read("orders", default));
        Assert.Equal(ChainStoreProblem.RolledBack, stopped.Problem);
    }

    [Fact]
    public async Task A_new_cluster_makes_its_catalogue_and_one_of_which_a_node_is_silent_waits()
    {
        var cluster = new FakeCluster(3);
        cluster.Nodes[1].IsDeaf = true;
        var waits = await Assert.ThrowsAsync<ChainStoreException>(() => cluster.First.Join(default));
        Assert.Equal(ChainStoreProblem.Away, waits.Problem);
        Assert.Contains("'node-b'", waits.Message, StringComparison.Ordinal);
        cluster.Nodes[1].IsDeaf = false;
        Assert.Equal((await cluster.First.Join(default)).Cookie, (await cluster.NewChanger().Join(default)).Cookie);
    }

    [Fact]
    public async Task A_rebuild_of_what_is_not_lost_changes_nothing()
    {
        var (cluster, chain) = await ThreeSegments();
        Assert.Equal(chain, (await cluster.First.Rebuild("orders", [], default)).Chain);
        cluster.Owner(chain).IsUp = false;
        Assert.Equal(chain, (await cluster.First.Rebuild("orders", ["somebody-else"], default)).Chain);
    }

    [Fact]
    public async Task A_node_lost_for_ever_with_an_open_segment_can_be_given_up()
    {
        var (cluster, chain) = await ThreeSegments();
        cluster.Owner(chain).IsUp = false;
        var rebuilt = await cluster.First.Rebuild("orders", [cluster.Owner(chain).Name], default);
        Assert.Equal(20, ChainRules.End(rebuilt.Chain));
        Assert.NotEqual(chain.WriteSegment!.Primary, (await cluster.Rolled("orders", 1)).WriteSegment!.Primary);
    }

    [Fact]
    public async Task A_deleted_log_does_not_come_back_with_a_lost_store()
    {
        var (cluster, _) = await ThreeSegments();
        await cluster.First.DeleteLog("orders", default);
        Lose(cluster);
        var changer = cluster.NewChanger();
        var rebuilt = await changer.RebuildAll([], default);
        Assert.Empty(rebuilt.Logs);
        Assert.Empty(rebuilt.Refusals);
        await Assert.ThrowsAsync<UnknownLogException>(() => changer.Read("orders", default));
    }

    [Fact]
    public async Task A_listed_log_of_which_no_node_has_a_trace_can_be_deleted()
    {
        var cluster = await FakeCluster.Joined(2);
        await cluster.First.CreateLog("orders", new LogOptions(), default);
        cluster.Stored.Chains.Clear();
        var changer = cluster.NewChanger();
        await Assert.ThrowsAsync<ChainStoreException>(() => changer.CreateLog("orders", new LogOptions(), default));
        await Assert.ThrowsAsync<ChainStoreException>(() => changer.Rebuild("orders", [], default));
        await changer.DeleteLog("orders", default);
        await changer.CreateLog("orders", new LogOptions(), default);
    }

    [Fact]
    public async Task Different_chains_of_one_version_are_never_chosen_between()
    {
        var (cluster, chain) = await ThreeSegments();
        Lose(cluster);
        var liar = cluster.Nodes.First(node => node != cluster.Owner(chain));
        liar.Saved[chain.LogId] = chain with { Epoch = 9 };
        var refused = await Assert.ThrowsAsync<ChainStoreException>(() => cluster.NewChanger().Rebuild("orders", [], default));
        Assert.Contains("different chains of version 4", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_last_replica_is_no_answer()
    {
        var (cluster, chain) = await ThreeSegments();
        Lose(cluster);
        cluster.Replica(chain.WriteSegment!).Broken = ReplicaState.Damaged;
        var refused = await Assert.ThrowsAsync<ChainStoreException>(() => cluster.NewChanger().Rebuild("orders", [], default));
        Assert.Contains("its file is Damaged", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>[0, 10), [10, 20) and open from 20 with 10 events, each on another node.</summary>
    private static async Task<(FakeCluster Cluster, Chain Chain)> ThreeSegments()
    {
        var cluster = await FakeCluster.Joined(3);
        Chain chain = null!;
        for (var i = 0; i < 3; i++)
        {
            chain = await cluster.Rolled("orders", 10);
            cluster.Owner(chain).RefusesToPrepare = true;
        }

        foreach (var node in cluster.Nodes)
        {
            node.RefusesToPrepare = false;
        }

        Assert.Equal(4, chain.Version);
        Assert.Equal(3, chain.Segments.Select(segment => segment.Primary).Distinct().Count());
        return (cluster, chain);
    }

    private static void Lose(FakeCluster cluster)
    {
        cluster.Stored.Chains.Clear();
        cluster.Stored.Catalogue = null;
    }

    private static IEnumerable<Func<Task>> Calls(ChainChanger changer) =>
    [
        () => changer.Read("orders", default),
        () => changer.OpenWriteSegment("orders", null, 0, default),
        () => changer.CreateLog("orders", new LogOptions(), default),
        () => changer.DeleteLog("orders", default),
        () => changer.Join(default),
    ];
}
