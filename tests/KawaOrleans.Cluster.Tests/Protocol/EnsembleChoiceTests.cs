using KawaOrleans.Server.Protocol;
using static KawaOrleans.Cluster.Tests.Protocol.ChainExamples;

namespace KawaOrleans.Cluster.Tests.Protocol;

public class EnsembleChoiceTests
{
    private static readonly Guid Cookie = Id(7);

    [Fact]
    public void A_log_stays_on_its_node_while_that_has_room()
    {
        Assert.Equal(["b"], Choose(["b"], Report("a"), Report("b", open: 50), Report("c")));
        Assert.Equal(["b"], Choose(["b"], Report("a"), Report("b", free: 2000)));
        Assert.Equal(["a"], Choose(["b"], Report("a"), Report("b", free: 1999)));
    }

    [Fact]
    public void A_node_whose_data_directory_is_another_one_is_not_the_logs_node() =>
        Assert.Equal(["a"], Choose(["b"], Report("a"), Report("b", open: 1) with { Node = new ChainNode("b", Id(1)) }));

    [Fact]
    public void A_first_segment_goes_to_the_node_with_fewest_open_segments() =>
        Assert.Equal(["c"], Choose([], Report("a", open: 3), Report("b", open: 2), Report("c", open: 1)));

    [Fact]
    public void Logs_spread_over_equal_nodes_and_each_log_always_gets_the_same()
    {
        NodeReport[] nodes = [Report("a"), Report("b"), Report("c")];
        var chosen = Enumerable.Range(0, 300).Select(log => Choose(Id(log), [], nodes)[0]).ToList();
        Assert.Equal(chosen, Enumerable.Range(0, 300).Select(log => Choose(Id(log), [], [.. nodes.Reverse()])[0]));
        Assert.All(chosen.CountBy(node => node), count => Assert.InRange(count.Value, 60, 140));
    }

    [Fact]
    public void Three_replicas_are_put_on_as_many_nodes_as_live_but_never_fewer_than_the_quorum()
    {
        var options = new LogOptions { Replicas = 3, AckQuorum = 2 };
        Assert.Equal(3, Among(options, Report("a"), Report("b"), Report("c"), Report("d")).Ensemble.Count);
        Assert.Equal(2, Among(options, Report("a"), Report("b")).Ensemble.Count);
        var refused = Among(options, Report("a"), Report("b", free: 10));
        Assert.Empty(refused.Ensemble);
        Assert.Equal("2 nodes are needed and 1 can take a segment ('a'); node 'b' has 10 bytes free and needs 2000 for a segment of 1000", refused.WhyNot);
    }

    [Fact]
    public void A_node_of_another_cluster_or_of_none_takes_nothing()
    {
        var refused = Among(new LogOptions(), Report("a") with { Cookie = Id(8) }, Report("b") with { Cookie = Guid.Empty });
        Assert.Contains("'a' belongs to another cluster", refused.WhyNot, StringComparison.Ordinal);
        Assert.Contains("'b' has not joined", refused.WhyNot, StringComparison.Ordinal);
    }

    [Fact]
    public void No_node_at_all_is_said() => Assert.Equal("1 nodes are needed and 0 can take a segment", Among(new LogOptions()).WhyNot);

    private static NodeReport Report(string name, long free = 1 << 30, int open = 0) => new(Node(name), Cookie, free, open);

    private static EnsembleChoice Among(LogOptions options, params NodeReport[] reports) =>
        EnsembleChoice.Among(Id(99), options, [], Cookie, reports, 1000);

    private static List<string> Choose(string[] current, params NodeReport[] reports) => Choose(Id(99), current, reports);

    private static List<string> Choose(Guid log, string[] current, NodeReport[] reports) =>
        [.. EnsembleChoice.Among(log, new LogOptions(), [.. current.Select(Node)], Cookie, reports, 1000).Ensemble.Select(node => node.Name)];
}
