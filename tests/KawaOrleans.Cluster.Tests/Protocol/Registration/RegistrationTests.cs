using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.Protocol.Registration;

/// <summary>Who may vote, in every order in which two directories can start, die and lose answers of the chain store.</summary>
public sealed class RegistrationTests
{
    private static readonly Guid One = new("10000000-0000-0000-0000-000000000000");
    private static readonly Guid Other = new("20000000-0000-0000-0000-000000000000");
    private static readonly NodeRecord Last = new(One, 7, new Guid("70000000-0000-0000-0000-000000000000"));

    [Fact]
    public void Of_two_copies_of_a_directory_exactly_one_ever_votes()
    {
        var runs = EveryOrder.Run(order =>
        {
            var world = new StartingNodes(order, mishaps: 1);
            world.Set(Last);
            var (one, copy) = (world.Add(One, Last), world.Add(One, Last));
            world.RunAll();
            AssertOne(order, world, one, copy, NodeRefusal.Copied);
        });
        Assert.InRange(runs, 5_000, 10_000_000);
    }

    [Fact]
    public void A_directory_that_died_anywhere_on_its_start_votes_at_the_next_and_then_its_copy_never_does()
    {
        var runs = EveryOrder.Run(order =>
        {
            var world = new StartingNodes(order, mishaps: 2);
            world.Set(Last);
            var one = world.Add(One, Last);
            world.RunAll();
            Assert.True(one.IsWhole, order.Path);
            Assert.Equal(world.Record!.Value, Assert.Single(one.Starts));

            var set = world.Add(One, Last);
            set.Start();
            world.RunAll();
            Assert.True(set.Refused == NodeRefusal.Copied && set.Voted.Count == 0, order.Path);

            // Not by its number alone: the other one as well may be started again.
            one.Start();
            world.RunAll();
            Assert.True(one.IsWhole, order.Path);
        });
        Assert.InRange(runs, 100, 1_000_000);
    }

    [Fact]
    public void Of_two_copies_made_of_a_directory_that_died_on_its_start_exactly_one_ever_votes()
    {
        var runs = EveryOrder.Run(order =>
        {
            // As after a death between keeping its start and the swap, which may have taken effect.
            var world = new StartingNodes(order, mishaps: 1);
            var kept = Last with { Start = 8, Token = new Guid("80000000-0000-0000-0000-000000000000") };
            world.Set(order.Pick(2) == 0 ? Last : kept);
            var (one, copy) = (world.Add(One, Last, kept), world.Add(One, Last, kept));
            world.RunAll();
            AssertOne(order, world, one, copy, NodeRefusal.Copied);
        });
        Assert.InRange(runs, 1_000, 10_000_000);
    }

    [Fact]
    public void Of_two_blank_directories_under_one_name_exactly_one_ever_votes()
    {
        var runs = EveryOrder.Run(order =>
        {
            var world = new StartingNodes(order, mishaps: 1);
            var (one, other) = (world.Add(One), world.Add(Other));
            world.RunAll();
            AssertOne(order, world, one, other, NodeRefusal.OtherDirectory);
        });
        Assert.InRange(runs, 5_000, 10_000_000);
    }

    [Fact]
    public void A_blank_directory_takes_a_name_only_when_the_directory_before_it_was_given_up_and_that_one_never_returns()
    {
        EveryOrder.Run(order =>
        {
            var world = new StartingNodes(order, mishaps: 1);
            world.Set(Last);
            var blank = world.Add(Other);
            world.RunAll();
            Assert.Equal(NodeRefusal.OtherDirectory, blank.Refused);

            world.Catalogue = world.Catalogue with { GivenUp = [new ChainNode(StartingNodes.Name, One)] };
            var old = world.Add(One, Last);
            blank.Start();
            world.RunAll();
            Assert.True(blank.IsWhole && old.Voted.Count == 0 && old.Refused == NodeRefusal.GivenUp, order.Path);
        });
    }

    [Fact]
    public void A_directory_of_another_cluster_never_votes()
    {
        var world = new StartingNodes(new EveryOrder(), mishaps: 0);
        var foreign = world.Add(One, Last);
        foreign.Cookie = Other;
        world.RunAll();
        Assert.Equal((NodeRefusal.ForeignCluster, 0), (foreign.Refused, foreign.Voted.Count));
        Assert.Null(world.Record);
    }

    [Fact]
    public void A_store_that_went_back_behind_a_start_is_said_and_not_taken_for_a_copy()
    {
        var catalogue = new Catalogue { Cookie = Other, Logs = new Dictionary<string, Guid>(), Deleted = [] };
        var directory = new NodeDirectory(new ChainNode("node-1", One), Other, [Last]);
        var step = RegistrationStep.After(directory, null, catalogue, Last with { Start = 6, Token = Other });
        Assert.Contains("went back in time", Assert.IsType<RegistrationStep.StoreWentBack>(step).Why, StringComparison.Ordinal);
        Assert.IsType<RegistrationStep.Claim>(RegistrationStep.After(directory, null, catalogue, null)); // lost: the catalogue says that it is the same cluster
    }

    [Fact]
    public void Each_refusal_says_what_to_do()
    {
        var catalogue = new Catalogue { Cookie = Other, Logs = new Dictionary<string, Guid>(), Deleted = [] };
        var blank = new NodeDirectory(new ChainNode("node-1", Other), null, []);
        Assert.Contains("replace-node node-1", Why(blank, catalogue, Last), StringComparison.Ordinal);
        var copy = new NodeDirectory(new ChainNode("node-1", One), Other, [Last]);
        Assert.Contains("the one that was started last", Why(copy, catalogue, Last with { Start = 8 }), StringComparison.Ordinal);
        Assert.Contains("its own chain store", Why(copy with { Cookie = One }, catalogue, Last), StringComparison.Ordinal);
        var givenUp = catalogue with { GivenUp = [copy.Self] };
        Assert.Contains("empty directory", Why(copy, givenUp, Last), StringComparison.Ordinal);
    }

    private static string Why(NodeDirectory directory, Catalogue catalogue, NodeRecord record) =>
        Assert.IsType<RegistrationStep.Refuse>(RegistrationStep.After(directory, null, catalogue, record)).Why;

    private static void AssertOne(EveryOrder order, StartingNodes world, StartingDirectory one, StartingDirectory other, NodeRefusal refusal)
    {
        var (winner, loser) = one.IsWhole ? (one, other) : (other, one);
        Assert.True(winner.IsWhole && loser.Voted.Count == 0, $"{one.Voted.Count} and {other.Voted.Count} voted: {order.Path}");
        Assert.True(loser.Refused == refusal, $"{loser.Refused}: {order.Path}");
        Assert.True(winner.Starts.SequenceEqual([world.Record!.Value]), order.Path);
    }
}
