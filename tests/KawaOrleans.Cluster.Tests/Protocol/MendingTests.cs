using KawaOrleans.Server.Protocol;
using static KawaOrleans.Cluster.Tests.Protocol.ChainExamples;

namespace KawaOrleans.Cluster.Tests.Protocol;

/// <summary>Who mends what, and who takes whose place.</summary>
public sealed class MendingTests
{
    private static readonly Catalogue None = new() { Cookie = Id(7), Logs = new Dictionary<string, Guid>(), Deleted = [] };

    [Theory]
    [InlineData(ReplicaState.Sealed, 10, null)]
    [InlineData(ReplicaState.Fenced, 9, ReplicaLack.Short)]
    [InlineData(ReplicaState.Open, 3, ReplicaLack.Short)]
    [InlineData(ReplicaState.Damaged, 0, ReplicaLack.Damaged)]
    [InlineData(ReplicaState.Missing, 0, ReplicaLack.Missing)]
    [InlineData(ReplicaState.Unknown, 0, null)]
    public void A_node_mends_what_it_has_of_a_segment_that_has_ended_and_knows_whom_to_ask(ReplicaState state, long tail, object? lack)
    {
        var chain = Three("a", "b", "c") with { Segments = [Segment(1, 0, 10, 1, "a", "b", "c", "d"), Segment(3, 10, null, 3, "a", "b", "c")] };
        var catalogue = None with { GivenUp = [Node("d")] };
        var needs = ReplicaNeed.Under(chain, Node("b"), _ => (state, tail), catalogue, ["a", "b", "d"]).ToList();
        if (lack is null)
        {
            Assert.Empty(needs);
            return;
        }

        // Never the open one, whatever is here of it.
        var need = Assert.Single(needs);
        Assert.Equal((Id(1), (ReplicaLack)lack), (need.Segment.Id, need.Lack));
        Assert.Equal(["a"], need.Sources); // c is away, d was given up
        Assert.Empty(ReplicaNeed.Under(chain, Node("e"), _ => (state, tail), catalogue, ["a"]));
    }

    [Fact]
    public void A_node_takes_the_place_of_one_that_was_given_up_or_one_more_and_no_other()
    {
        var segment = Segment(1, 0, 10, 1, "a", "b", "c");
        Assert.Null(EnsembleRepair.With(segment, Node("d"), None, 3));
        Assert.Equal(["a", "b", "c", "d"], With(segment, "d", None, wanted: 5));
        Assert.Null(EnsembleRepair.With(segment, Node("b"), None, 5));
        var lost = None with { GivenUp = [Node("a"), Node("b")] };
        Assert.Equal(["c", "d", "b"], With(segment, "d", lost, wanted: 3)); // one place at a time: never fewer than its ack quorum
        Assert.Null(EnsembleRepair.With(segment, Node("d"), None with { GivenUp = [Node("a"), Node("b"), Node("c")] }, 3)); // nobody has it

        // A new directory under a lost one's name takes that one's place: a name is in an ensemble once.
        var again = new ChainNode("b", Id(5));
        Assert.Equal([Node("c"), again, Node("a")], EnsembleRepair.With(segment, again, lost, 3));
        Assert.Null(EnsembleRepair.With(segment, again, None with { GivenUp = [Node("a")] }, 3));
    }

    [Fact]
    public void One_living_node_of_an_ensemble_has_its_vacancies_filled()
    {
        var segment = Segment(1, 0, 10, 1, "a", "b", "c");
        var lost = None with { GivenUp = [Node("a")] };
        Assert.True(EnsembleRepair.HasVacancy(segment, 3, lost));
        Assert.True(EnsembleRepair.HasVacancy(segment, 5, None));
        Assert.False(EnsembleRepair.HasVacancy(segment, 3, None));
        Assert.False(EnsembleRepair.HasVacancy(segment with { End = null }, 3, lost)); // open: never
        Assert.Equal([false, true, false], segment.Ensemble.Select(node => EnsembleRepair.IsSeenTo(segment, node, lost, ["a", "b", "c"])));
        Assert.Equal([false, false, true], segment.Ensemble.Select(node => EnsembleRepair.IsSeenTo(segment, node, lost, ["a", "c"])));
    }

    [Fact]
    public void The_node_that_is_asked_is_of_the_cluster_has_room_and_none_of_it()
    {
        var segment = Segment(1, 0, 10, 1, "a", "b");
        NodeReport Of(string node, long freeBytes = 1 << 30, int cookie = 7) => new(Node(node), Id(cookie), freeBytes, 0);
        var catalogue = None with { GivenUp = [Node("f")] };
        var asked = EnsembleRepair.Candidate(segment, catalogue, [Of("a"), Of("b"), Of("c", freeBytes: segment.FileBytes), Of("d", cookie: 8), Of("e"), Of("f")]);
        Assert.Equal(Node("e"), asked);
        Assert.Null(EnsembleRepair.Candidate(segment, catalogue, [Of("a"), Of("b")]));
    }

    [Fact]
    public void Only_a_segment_that_has_ended_moves()
    {
        var chain = Three();
        var moved = ChainRules.Moved(chain, Id(2), [Node("b"), Node("c")]);
        Assert.Equal((chain.Version + 1, chain.Epoch), (moved.Version, moved.Epoch));
        Assert.Equal([Node("b"), Node("c")], moved.Segments[1].Ensemble);
        Assert.Equal([chain.Segments[0], chain.Segments[2]], [moved.Segments[0], moved.Segments[2]]);
        Assert.Throws<InvalidOperationException>(() => ChainRules.Moved(chain, Id(3), [Node("b")]));
        Assert.Throws<InvalidOperationException>(() => ChainRules.Moved(chain, Id(2), [])); // fewer than its ack quorum
    }

    [Fact]
    public void A_replica_that_another_nodes_took_the_place_of_is_set_aside()
    {
        var chain = Three();
        Assert.IsType<ReplicaDuty.SetAside>(ReplicaDuty.Under(chain, Id(1), 0, 3, ReplicaState.Sealed, Node("z").Id));
        Assert.IsType<ReplicaDuty.Nothing>(ReplicaDuty.Under(chain, Id(1), 0, 4, ReplicaState.Sealed, Node("z").Id)); // made against this very chain
        Assert.IsType<ReplicaDuty.Nothing>(ReplicaDuty.Under(chain, Id(1), 0, 3, ReplicaState.Sealed, Node("a").Id));
        Assert.IsType<ReplicaDuty.Nothing>(ReplicaDuty.Under(chain, Id(3), 0, 3, ReplicaState.Open, Node("z").Id)); // open: a fence may still ask
    }

    [Fact]
    public async Task Of_two_nodes_that_take_one_place_one_gets_it_whatever_answers_are_lost()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var cluster = await FakeCluster.Joined(5, seed);
            await cluster.CreateLog("orders", 3, 2);
            await cluster.Rolled("orders", 10);
            var chain = await cluster.Rolled("orders", 5);
            var ended = chain.Segments[0];
            cluster.Stored.Catalogue = cluster.Stored.Tagged(cluster.Stored.Catalogue!.Value with { GivenUp = [ended.Ensemble[1]] });
            var outside = cluster.Nodes.Where(node => ended.Ensemble.All(member => member.Name != node.Name)).ToList();

            cluster.World.Loss = 0.1;
            cluster.World.IsStepped = true;
            var joins = outside.Select(node => Joined(cluster, chain, ended.Id, node.Node)).ToList();
            while (joins.Any(join => !join.IsCompleted) && cluster.World.Step())
            {
            }

            var answers = await Task.WhenAll(joins);
            var now = cluster.Stored.Chains["orders"].Value;
            Assert.Null(ChainRules.Validate(now));
            var ensemble = now.Segments[0].Ensemble;
            Assert.Equal(3, ensemble.Count);
            Assert.DoesNotContain(ended.Ensemble[1], ensemble);
            Assert.Equal(outside.Select(node => ensemble.Contains(node.Node)), answers);
            Assert.Equal(chain.Version + 1, now.Version);
        }
    }

    private static IEnumerable<string> With(ChainSegment segment, string joining, Catalogue catalogue, int wanted) =>
        EnsembleRepair.With(segment, Node(joining), catalogue, wanted)!.Select(node => node.Name);

    /// <summary>Repeated as the shell does while the store is away; whether the node is in the chain in the end.</summary>
    private static async Task<bool> Joined(FakeCluster cluster, Chain seen, Guid segmentId, ChainNode node)
    {
        var change = new EnsembleChange(
            new FakeRecords(cluster.World, cluster.Stored, () => false), new FakeNodes(cluster.World, cluster.Nodes, () => false));
        while (true)
        {
            try
            {
                return await change.Join(seen, segmentId, node, default) is not null;
            }
            catch (ChainStoreException away) when (away.Problem == ChainStoreProblem.Away)
            {
                // Again.
            }
        }
    }
}
