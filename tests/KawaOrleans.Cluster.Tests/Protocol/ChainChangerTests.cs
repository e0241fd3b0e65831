using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.Protocol;

public class ChainChangerTests
{
    private static readonly LogOptions Small = new() { SegmentBytes = 1 << 20 };

    [Fact]
    public async Task A_log_is_created_once_and_found_afterwards()
    {
        var cluster = await FakeCluster.Joined(3);
        var created = await cluster.First.CreateLog("orders", Small, default);
        Assert.Equal((1, 0), (created.Version, created.Segments.Count));
        Assert.Equal(created.LogId, (await cluster.NewChanger().CreateLog("orders", Small, default)).LogId);
        Assert.Equal(created.LogId, (await cluster.First.Read("orders", default)).LogId);
        Assert.Equal([new LogSummary("orders", created.LogId)], await cluster.First.ListLogs(default));
        Assert.Empty(cluster.Stored.Catalogue!.Value.Creating);
    }

    [Fact]
    public async Task A_log_exists_with_the_options_it_was_created_with()
    {
        var cluster = await FakeCluster.Joined(1);
        await cluster.First.CreateLog("orders", Small, default);
        await Assert.ThrowsAsync<RequestRefusedException>(() => cluster.First.CreateLog("orders", new LogOptions(), default));
        await Assert.ThrowsAsync<RequestRefusedException>(() => cluster.First.CreateLog("Orders", Small, default));
        await Assert.ThrowsAsync<RequestRefusedException>(() => cluster.First.CreateLog("new", new LogOptions { Replicas = 3 }, default));
        await Assert.ThrowsAsync<RequestRefusedException>(() => cluster.First.OpenWriteSegment("orders", null, -1, default));
        await Assert.ThrowsAsync<RequestRefusedException>(() => cluster.First.OpenWriteSegment("orders", null, Limits.MaxBatchBytes + 1, default));
        await Assert.ThrowsAsync<RequestRefusedException>(() => cluster.First.Read("../orders", default));
    }

    [Fact]
    public async Task A_half_done_creation_is_finished_with_the_id_it_began_with()
    {
        var cluster = await FakeCluster.Joined(2);
        var id = cluster.World.NewId();
        var before = cluster.Stored.Catalogue!;
        cluster.Stored.Swap(before, before.Value with { Logs = new Dictionary<string, Guid> { ["orders"] = id }, Creating = [id] });
        await Assert.ThrowsAsync<UnknownLogException>(() => cluster.First.Read("orders", default));
        Assert.Empty(await cluster.First.ListLogs(default));
        Assert.Equal(id, (await cluster.First.OpenWriteSegment("orders", null, 0, default)).LogId);
        Assert.Empty(cluster.Stored.Catalogue!.Value.Creating);
    }

    [Fact]
    public async Task There_is_no_log_that_nobody_created()
    {
        var cluster = await FakeCluster.Joined(1);
        await Assert.ThrowsAsync<UnknownLogException>(() => cluster.First.Read("orders", default));
        await Assert.ThrowsAsync<UnknownLogException>(() => cluster.First.DeleteLog("orders", default));
        await Assert.ThrowsAsync<UnknownLogException>(() => cluster.First.Rebuild("orders", [], default));
    }

    [Fact]
    public async Task The_first_segment_creates_the_log_and_can_be_written_at_once()
    {
        var cluster = await FakeCluster.Joined(3);
        var chain = await cluster.First.OpenWriteSegment("orders", null, 100, default);
        Assert.Equal((0, 1, 4L << 20), (chain.WriteSegment!.Base, chain.WriteSegment.Epoch, chain.WriteSegment.FileBytes));
        Assert.Equal((0, 10), cluster.Owner(chain).Append(chain.LogId, chain.WriteSegment.Id, 10));
        Assert.Equal(1, cluster.Replica(chain.WriteSegment).Claim.ChainVersion);
    }

    [Fact]
    public async Task Callers_with_the_same_view_cause_one_roll()
    {
        var cluster = await FakeCluster.Joined(3);
        var first = await cluster.Rolled("orders", 10);
        var second = await cluster.First.OpenWriteSegment("orders", first.WriteSegment!.Id, 0, default);
        Assert.Equal((3, 10, 8L << 20), (second.Version, second.WriteSegment!.Base, second.WriteSegment.FileBytes));
        Assert.Equal(first.WriteSegment.Primary, second.WriteSegment.Primary);
        foreach (var changer in new[] { cluster.First, cluster.NewChanger() })
        {
            Assert.Equal(3, (await changer.OpenWriteSegment("orders", first.WriteSegment.Id, 0, default)).Version);
            Assert.Equal(3, (await changer.OpenWriteSegment("orders", null, 0, default)).Version);
        }

        Assert.True(cluster.Replica(second.Segments[0]).IsSealed);
        Assert.Equal(second.Segments[0].Id, cluster.Replica(second.WriteSegment).Claim.Predecessor);
    }

    [Fact]
    public async Task An_empty_segment_that_rolls_leaves_the_chain_and_is_nobodys_predecessor()
    {
        var cluster = await FakeCluster.Joined(1);
        var first = await cluster.Rolled("orders", 0);
        var second = await cluster.First.OpenWriteSegment("orders", first.WriteSegment!.Id, 5 << 20, default);
        var only = Assert.Single(second.Segments);
        Assert.Equal((0, 2), (only.Base, only.Epoch));
        Assert.Null(cluster.Replica(only).Claim.Predecessor);
        Assert.True(cluster.Replica(first.WriteSegment).IsAside);
    }

    [Fact]
    public async Task While_the_owner_of_the_open_segment_is_away_the_log_waits_and_says_for_whom()
    {
        var cluster = await FakeCluster.Joined(3);
        var chain = await cluster.Rolled("orders", 10);
        cluster.Owner(chain).IsUp = false;
        var waits = await Assert.ThrowsAsync<LogNotWritableException>(
            () => cluster.First.OpenWriteSegment("orders", chain.WriteSegment!.Id, 0, default));
        Assert.Contains($"'{chain.WriteSegment!.Primary}'", waits.Reason, StringComparison.Ordinal);
        Assert.Contains(chain.WriteSegment.Id.ToString("N"), waits.Reason, StringComparison.Ordinal);
        Assert.True(waits.IsRetryable);
        Assert.Equal(chain, (await cluster.First.Read("orders", default)));
        await Assert.ThrowsAsync<NodeUnavailableException>(() => cluster.First.DeleteLog("orders", default));

        cluster.Owner(chain).IsUp = true;
        Assert.Equal(10, (await cluster.First.OpenWriteSegment("orders", chain.WriteSegment.Id, 0, default)).WriteSegment!.Base);
    }

    [Fact]
    public async Task A_log_moves_when_its_node_cannot_take_the_next_segment()
    {
        var cluster = await FakeCluster.Joined(2);
        var first = await cluster.Rolled("orders", 10);
        cluster.Owner(first).RefusesToPrepare = true;
        var second = await cluster.Rolled("orders", 5);
        Assert.NotEqual(first.WriteSegment!.Primary, second.WriteSegment!.Primary);
        Assert.True(cluster.Replica(second.Segments[0]).IsSealed);

        cluster.Owner(second).RefusesToPrepare = true;
        var refused = await Assert.ThrowsAsync<LogNotWritableException>(() => cluster.Rolled("orders", 0));
        Assert.Contains("did not take it (disk full)", refused.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_roll_that_stays_on_its_node_asks_no_other()
    {
        var cluster = await FakeCluster.Joined(3);
        var first = await cluster.Rolled("orders", 10);
        cluster.Asked.Calls.Clear();
        await cluster.First.OpenWriteSegment("orders", first.WriteSegment!.Id, 0, default);
        Assert.Equal(["Announce 1", "Fence 1", "Prepare 1", "Report 1"], cluster.Asked.Calls.Select(call => $"{call.Key} {call.Value}").Order());
    }

    [Fact]
    public async Task A_segment_whose_primary_was_not_told_takes_no_append_until_the_call_is_repeated()
    {
        var cluster = await FakeCluster.Joined(1);
        var chain = await cluster.Rolled("orders", 10);
        cluster.Stored.OnSwapped = (_, _) => cluster.Nodes[0].IsDeaf = true;
        await Assert.ThrowsAsync<LogNotWritableException>(() => cluster.First.OpenWriteSegment("orders", chain.WriteSegment!.Id, 0, default));
        var swapped = cluster.Stored.Chains["orders"].Value;
        Assert.Equal(3, swapped.Version);
        Assert.Null(cluster.Owner(swapped).Append(swapped.LogId, swapped.WriteSegment!.Id, 1));

        cluster.Nodes[0].IsDeaf = false;
        Assert.Equal(3, (await cluster.First.OpenWriteSegment("orders", chain.WriteSegment!.Id, 0, default)).Version);
        Assert.NotNull(cluster.Owner(swapped).Append(swapped.LogId, swapped.WriteSegment.Id, 1));
    }

    [Fact]
    public async Task A_store_that_is_away_for_writes_is_said_and_no_files_pile_up()
    {
        var cluster = await FakeCluster.Joined(1);
        var chain = await cluster.Rolled("orders", 10);
        var stored = cluster.Stored.Chains["orders"];
        cluster.Stored.OnSwapped = (_, _) =>
        {
            cluster.Stored.Chains["orders"] = stored;
            throw new ChainStoreException(ChainStoreProblem.Away, "read-only");
        };
        var away = await Assert.ThrowsAsync<ChainStoreException>(() => cluster.First.OpenWriteSegment("orders", chain.WriteSegment!.Id, 0, default));
        Assert.Equal("read-only", away.Message);
        Assert.Equal(2, cluster.Nodes[0].Replicas.Count);
    }

    [Fact]
    public async Task A_swap_that_won_without_our_hearing_of_it_counts()
    {
        var cluster = await FakeCluster.Joined(1);
        var chain = await cluster.Rolled("orders", 10);
        cluster.Stored.OnSwapped = (_, _) => throw new ChainStoreException(ChainStoreProblem.Away, "the answer was lost");
        Assert.Equal(3, (await cluster.First.OpenWriteSegment("orders", chain.WriteSegment!.Id, 0, default)).Version);
        Assert.Equal(2, cluster.Nodes[0].Replicas.Count);
    }

    [Fact]
    public async Task A_deleted_log_acknowledges_nothing_and_its_name_is_free_for_another_log()
    {
        var cluster = await FakeCluster.Joined(2);
        var chain = await cluster.Rolled("orders", 10);
        await cluster.First.DeleteLog("orders", default);
        Assert.Null(cluster.Owner(chain).Append(chain.LogId, chain.WriteSegment!.Id, 1));
        Assert.True(cluster.Replica(chain.WriteSegment).IsAside);
        await Assert.ThrowsAsync<UnknownLogException>(() => cluster.First.Read("orders", default));
        await Assert.ThrowsAsync<UnknownLogException>(() => cluster.First.DeleteLog("orders", default));
        Assert.Empty(await cluster.First.ListLogs(default));

        var again = await cluster.Rolled("orders", 3);
        Assert.NotEqual(chain.LogId, again.LogId);
        Assert.Equal(0, again.WriteSegment!.Base);
        Assert.Contains(chain.LogId, cluster.Stored.Catalogue!.Value.Deleted);
    }

    [Fact]
    public async Task A_half_done_deletion_is_finished_by_whoever_would_write_or_create()
    {
        var cluster = await FakeCluster.Joined(1);
        var chain = await cluster.Rolled("orders", 10);
        var catalogue = cluster.Stored.Catalogue!;
        cluster.Stored.Swap(catalogue, catalogue.Value with { Logs = new Dictionary<string, Guid>(), Deleted = [chain.LogId] });
        var next = await cluster.First.OpenWriteSegment("orders", chain.WriteSegment!.Id, 0, default);
        Assert.NotEqual(chain.LogId, next.LogId);
        Assert.Equal(next.LogId, (await cluster.First.Read("orders", default)).LogId);
        Assert.True(cluster.Replica(chain.WriteSegment).IsFenced);
    }

    [Fact]
    public async Task Two_changers_that_never_hear_of_each_other_keep_one_chain()
    {
        var cluster = await FakeCluster.Joined(3);
        ChainChanger[] both = [cluster.First, cluster.NewChanger()];
        Guid? after = null;
        for (var roll = 1; roll <= 20; roll++)
        {
            var chain = await both[roll % 2].OpenWriteSegment("orders", after, 0, default);
            Assert.NotNull(cluster.Owner(chain).Append(chain.LogId, chain.WriteSegment!.Id, roll));
            after = chain.WriteSegment.Id;
        }

        var last = await both[0].Read("orders", default);
        Assert.Equal(20, last.Segments.Count);
        Assert.Equal(19 * 20 / 2, last.WriteSegment!.Base);
    }

    [Fact]
    public async Task A_node_of_another_cluster_is_never_chosen()
    {
        var cluster = await FakeCluster.Joined(2);
        cluster.Nodes[0].Cookie = cluster.World.NewId();
        for (var log = 0; log < 20; log++)
        {
            Assert.Equal("node-b", (await cluster.Rolled($"log-{log}", 0)).WriteSegment!.Primary);
        }
    }
}
