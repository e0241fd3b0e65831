using KawaOrleans.Server.Protocol;
using static KawaOrleans.Cluster.Tests.Protocol.ChainExamples;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication;

/// <summary>What becomes of replicas when a segment ends.</summary>
public class EndingTests
{
    [Fact]
    public void Enough_replicas_are_completed_before_the_chain_says_the_end()
    {
        Assert.Null(Plan(Of(1, 1), 40, Tail(40)));
        Assert.Null(Plan(Of(3, 2), 40, Tail(40), Tail(40), Unknown));
        AssertPlan(new("a", ["c"], 1), Plan(Of(3, 2), 40, Tail(40), Unknown, Tail(38)));
        AssertPlan(new("c", ["a", "b"], 1), Plan(Of(3, 2), 40, Tail(30), Tail(38), Tail(40)));
        AssertPlan(new("e", ["a", "b"], 2), Plan(Of(5, 3), 40, Tail(30), Tail(38), Unknown, Unknown, Tail(40)));
        AssertPlan(new("a", ["b", "c"], 2), Plan(Of(3, 3), 40, Tail(40), Tail(38), Tail(38)));
    }

    [Fact]
    public void With_fewer_than_A_answers_all_that_answered_are_enough()
    {
        Assert.Null(Plan(Of(2, 2), 40, Unknown, Tail(40)));
        AssertPlan(new("a", ["b"], 1), Plan(Of(3, 3), 40, Tail(40), Tail(38), Unknown));
    }

    [Fact]
    public void Only_the_primary_writes_and_only_what_the_chain_lists_as_open()
    {
        var chain = Three("b", "a");
        Assert.Null(WriterRule.WhyNot(chain, Id(3), "b"));
        Assert.Contains("not by 'a'", WriterRule.WhyNot(chain, Id(3), "a"), StringComparison.Ordinal);
        Assert.Contains("ends segment", WriterRule.WhyNot(chain, Id(2), "a"), StringComparison.Ordinal);
        Assert.Contains("does not list", WriterRule.WhyNot(chain, Id(4), "a"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_blank_directory_under_an_old_name_takes_no_late_claim()
    {
        var claim = new NewSegment
        {
            LogId = Id(99), LogName = "orders", Segment = Segment(3, 25, null, 3, "a", "b"), Predecessor = Id(2), ChainVersion = 3, TimestampFloor = 0,
        };
        Assert.Null(claim.WhyNotOn(Node("b"), kept: 3));
        Assert.NotNull(claim.WhyNotOn(Node("b") with { Id = Id(5) }, kept: 3));
        Assert.NotNull(claim.WhyNotOn(Node("c"), kept: 3));
    }

    [Fact]
    public void A_replica_that_was_lost_is_not_made_anew_by_the_claim_that_made_it()
    {
        var claim = new NewSegment
        {
            LogId = Id(99), LogName = "orders", Segment = Segment(3, 25, null, 3, "a", "b"), Predecessor = Id(2), ChainVersion = 3, TimestampFloor = 0,
        };
        Assert.Null(claim.WhyNotOn(Node("b"), kept: 0));
        Assert.Contains("knows version 4", claim.WhyNotOn(Node("b"), kept: 4), StringComparison.Ordinal);
    }

    [Fact]
    public void A_replica_is_sealed_or_set_aside_as_the_chain_says()
    {
        var chain = Three("a", "b");
        Assert.Equal(new ReplicaDuty.Nothing(), Under(3, ReplicaState.Open));
        Assert.Equal(new ReplicaDuty.Seal(25), Under(2, ReplicaState.Open));
        Assert.Equal(new ReplicaDuty.Seal(25), Under(2, ReplicaState.Fenced));
        Assert.Equal(new ReplicaDuty.Nothing(), Under(2, ReplicaState.Sealed));
        Assert.IsType<ReplicaDuty.SetAside>(Under(4, ReplicaState.Prepared, preparedAgainst: 3));
        Assert.Equal(new ReplicaDuty.Nothing(), Under(4, ReplicaState.Prepared, preparedAgainst: 4));

        ReplicaDuty Under(int segment, ReplicaState state, long preparedAgainst = 1) =>
            ReplicaDuty.Under(chain, Id(segment), 0, preparedAgainst, state, Node("a").Id);
    }

    [Fact]
    public async Task A_log_of_three_goes_on_without_its_primary_and_the_rest_is_completed_first()
    {
        var (cluster, chain) = await Replicated(3, 2);
        var open = chain.WriteSegment!;
        var (dead, shorter) = (cluster.Node(open.Ensemble[0].Name), cluster.Node(open.Ensemble[2].Name));
        Tails(cluster, open, 30, 30, 28);
        dead.IsUp = false;
        var next = await cluster.First.OpenWriteSegment("orders", open.Id, 0, default);
        Assert.Equal((30, 30), (next.Segments[0].End, next.WriteSegment!.Base));
        Assert.Equal((30, ReplicaState.Sealed), (shorter.Replicas[open.Id].Tail, shorter.Replicas[open.Id].State));
        Assert.DoesNotContain(dead.Node, next.WriteSegment.Ensemble);
        Assert.Equal(2, next.WriteSegment.Ensemble.Count);
    }

    /// <summary>A planned roll: all that the full segment's primary wrote is acknowledged, so that nobody else has to say where it ends.</summary>
    [Fact]
    public async Task A_segment_of_which_all_is_acknowledged_is_ended_by_its_primary_alone()
    {
        var (cluster, chain) = await Replicated(3, 2);
        var open = chain.WriteSegment!;
        var primary = cluster.Owner(chain);
        Tails(cluster, open, 30, 30, 28);
        (primary.SaysAcknowledged, primary.SaysAcknowledgedWhenFenced) = (true, true);
        cluster.Asked.Calls.Clear();

        var next = await cluster.First.OpenWriteSegment("orders", open.Id, 0, default);

        Assert.Equal((30, 30), (next.Segments[0].End, next.WriteSegment!.Base));
        Assert.Equal(open.Ensemble, next.WriteSegment.Ensemble);
        Assert.Equal((1, 0), (cluster.Asked.Calls["Fence"], cluster.Asked.Calls.GetValueOrDefault("Complete")));

        // Whoever asks again with the older view, nobody is told what he said he knows.
        var told = cluster.Asked.Calls["Announce"];
        Assert.Equal(next.Version, (await cluster.First.OpenWriteSegment("orders", open.Id, 0, default)).Version);
        Assert.Equal((3, told), (told, cluster.Asked.Calls["Announce"]));
    }

    [Fact]
    public async Task The_id_that_files_were_made_for_is_that_of_one_claim_and_of_no_other()
    {
        var (cluster, chain) = await Replicated(3, 2);
        var expected = cluster.World.NewId();
        Assert.Equal(expected, (await cluster.First.OpenWriteSegment("orders", chain.WriteSegment!.Id, 0, expected, default)).WriteSegment!.Id);

        // One node does not confirm: that claim is dead, and so is its id.
        (expected, var open) = (cluster.World.NewId(), cluster.Stored.Chains["orders"].Value.WriteSegment!);
        cluster.Node(open.Ensemble[2].Name).RefusesToPrepare = true;
        var next = await cluster.First.OpenWriteSegment("orders", open.Id, 0, expected, default);
        Assert.NotEqual(expected, next.WriteSegment!.Id);
        Assert.Equal(open.Ensemble.Take(2), next.WriteSegment.Ensemble);
    }

    [Fact]
    public async Task A_primary_that_wrote_more_before_it_was_fenced_does_not_end_its_segment_alone()
    {
        var (cluster, chain) = await Replicated(3, 2);
        var open = chain.WriteSegment!;
        Tails(cluster, open, 30, 28, 28);
        cluster.Owner(chain).SaysAcknowledged = true;
        cluster.Asked.Calls.Clear();

        var next = await cluster.First.OpenWriteSegment("orders", open.Id, 0, default);

        Assert.Equal(30, next.Segments[0].End);
        Assert.Equal((4, 30), (cluster.Asked.Calls["Fence"], cluster.Node(open.Ensemble[1].Name).Replicas[open.Id].Tail));
    }

    [Fact]
    public async Task A_log_of_three_waits_without_two_of_them_and_says_who_is_missing()
    {
        var (cluster, chain) = await Replicated(3, 2);
        var open = chain.WriteSegment!;
        Tails(cluster, open, 30, 30, 28);
        cluster.Node(open.Ensemble[0].Name).IsUp = false;
        cluster.Node(open.Ensemble[1].Name).IsUp = false;
        var refused = await Assert.ThrowsAsync<LogNotWritableException>(() => cluster.First.OpenWriteSegment("orders", open.Id, 0, default));
        Assert.Contains($"'{open.Ensemble[0].Name}'", refused.Message, StringComparison.Ordinal);
        Assert.Equal(chain.Version, cluster.Stored.Chains["orders"].Value.Version);
        cluster.Node(open.Ensemble[1].Name).IsUp = true;
        Assert.Equal(30, (await cluster.First.OpenWriteSegment("orders", open.Id, 0, default)).WriteSegment!.Base);
    }

    [Fact]
    public async Task An_end_that_too_few_hold_is_not_written_into_the_chain()
    {
        var (cluster, chain) = await Replicated(3, 2);
        var open = chain.WriteSegment!;
        Tails(cluster, open, 30, 28, 28);
        cluster.Node(open.Ensemble[1].Name).RefusesToComplete = true;
        cluster.Node(open.Ensemble[2].Name).IsUp = false;

        var refused = await Assert.ThrowsAsync<LogNotWritableException>(() => cluster.First.OpenWriteSegment("orders", open.Id, 0, default));
        Assert.Contains("not yet on 2 nodes", refused.Message, StringComparison.Ordinal);
        Assert.Equal(chain.Version, cluster.Stored.Chains["orders"].Value.Version);
        cluster.Node(open.Ensemble[2].Name).IsUp = true;
        Assert.Equal(30, (await cluster.First.OpenWriteSegment("orders", open.Id, 0, default)).WriteSegment!.Base);
        Assert.Equal(30, cluster.Node(open.Ensemble[2].Name).Replicas[open.Id].Tail);
    }

    /// <summary>The simulation found it: a replica that rotted in what only it held was the longest for ever, and no log could go on.</summary>
    [Fact]
    public async Task A_log_goes_on_without_what_one_replica_alone_has_and_cannot_give()
    {
        var (cluster, chain) = await Replicated(3, 2);
        var open = chain.WriteSegment!;
        Tails(cluster, open, 30, 28, 27);
        cluster.Node(open.Ensemble[0].Name).RefusesToGive = true;

        var next = await cluster.First.OpenWriteSegment("orders", open.Id, 0, default);
        Assert.Equal((28, 28), (next.Segments[0].End, next.WriteSegment!.Base));
        Assert.Equal(28, cluster.Node(open.Ensemble[2].Name).Replicas[open.Id].Tail);
    }

    private static async Task<(FakeCluster Cluster, Chain Chain)> Replicated(int replicas, int quorum)
    {
        var cluster = await FakeCluster.Joined(replicas);
        await cluster.CreateLog("orders", replicas, quorum);
        var chain = await cluster.First.OpenWriteSegment("orders", null, 0, default);
        Assert.Equal(replicas, chain.WriteSegment!.Ensemble.Count);
        return (cluster, chain);
    }

    private static void Tails(FakeCluster cluster, ChainSegment segment, params long[] tails)
    {
        foreach (var (node, tail) in segment.Ensemble.Zip(tails))
        {
            var replica = cluster.Node(node.Name).Replicas[segment.Id];
            (replica.IsWritten, replica.Tail) = (true, tail);
        }
    }

    private static void AssertPlan(CompletionPlan expected, CompletionPlan? plan)
    {
        Assert.NotNull(plan);
        Assert.Equal((expected.Source, expected.Missing), (plan.Source, plan.Missing));
        Assert.Equal(expected.Short, plan.Short);
    }

    private static CompletionPlan? Plan(ChainSegment segment, long end, params NodeAnswer<FencedTail>[] answers) => CompletionPlan.For(segment, end, answers);

    private static NodeAnswer<FencedTail> Unknown => new(null, "no answer");

    private static NodeAnswer<FencedTail> Tail(long position) => new(new FencedTail(position, 0, null, 0), null);

    private static ChainSegment Of(int nodes, int quorum) =>
        Segment(3, 25, null, 3, [.. Enumerable.Range(0, nodes).Select(i => ((char)('a' + i)).ToString())]) with { AckQuorum = quorum };
}
