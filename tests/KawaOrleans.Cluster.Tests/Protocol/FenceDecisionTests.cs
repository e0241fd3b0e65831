using KawaOrleans.Server.Protocol;
using static KawaOrleans.Cluster.Tests.Protocol.ChainExamples;

namespace KawaOrleans.Cluster.Tests.Protocol;

public class FenceDecisionTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 2, 1)]
    [InlineData(2, 1, 2)]
    [InlineData(3, 2, 2)]
    [InlineData(5, 3, 3)]
    [InlineData(3, 3, 1)]
    public void The_fence_quorum_meets_every_ack_quorum(int nodes, int acks, int fences)
    {
        Assert.Equal(fences, FenceDecision.Quorum(Of(nodes, acks)));
        Assert.True(fences + acks > nodes);
    }

    [Fact]
    public void The_end_is_the_longest_tail_once_enough_nodes_answered()
    {
        Assert.Equal(new FenceDecision.Ended(40, 7), Decide(Of(1, 1), Tail(40, 7)));
        Assert.Equal(new FenceDecision.Ended(40, 9), Decide(Of(3, 2), Tail(38, 9), Unknown, Tail(40, 7)));
        Assert.Equal(new FenceDecision.Ended(30, 0), Decide(Of(3, 2), Tail(30), Tail(25), Unknown));
    }

    [Fact]
    public void Too_few_answers_prove_nothing_and_the_reason_names_node_and_segment()
    {
        var few = Assert.IsType<FenceDecision.TooFew>(Decide(Of(1, 1), Unknown));
        Assert.Contains("node 'a'", few.Why, StringComparison.Ordinal);
        Assert.Contains(Id(3).ToString("N"), few.Why, StringComparison.Ordinal);
        Assert.IsType<FenceDecision.TooFew>(Decide(Of(3, 2), Tail(40), Unknown, Unknown));
        Assert.IsType<FenceDecision.TooFew>(Decide(Of(5, 3), Tail(40), Tail(41), Unknown, Unknown, Unknown));
    }

    [Fact]
    public void A_tail_below_the_base_is_no_answer() => Assert.IsType<FenceDecision.TooFew>(Decide(Of(1, 1), Tail(24)));

    [Fact]
    public void Two_opening_ids_stop_everything()
    {
        var two = Assert.IsType<FenceDecision.TwoWriters>(Decide(Of(3, 2), Tail(40, opening: 1), Tail(40, opening: 2), Unknown));
        Assert.Contains(Id(2).ToString("N"), two.Why, StringComparison.Ordinal);
        Assert.IsType<FenceDecision.Ended>(Decide(Of(3, 2), Tail(40, opening: 1), Tail(40), Tail(41, opening: 1)));
    }

    [Fact]
    public void A_newer_saved_chain_means_to_read_again()
    {
        Assert.Equal(new FenceDecision.NewerChain("b", 5), Decide(Of(3, 2), Tail(40), Tail(40, version: 5), Unknown));
        Assert.Equal(new FenceDecision.NewerChain("a", 6), Decide(Of(3, 2), Tail(40, version: 6), Unknown, Unknown));
        Assert.IsType<FenceDecision.Ended>(Decide(Of(1, 1), Tail(40, version: 4)));
    }

    [Fact]
    public void A_primary_that_wrote_nothing_but_what_is_acknowledged_ends_its_segment_alone()
    {
        var ended = Assert.IsType<FenceDecision.Ended>(Decide(Of(3, 2), Acknowledged(40, 7), Unknown, Unknown));
        Assert.Equal((40, 7), (ended.End, ended.LastTimestamp));
        Assert.Equal(Of(3, 2).Ensemble, ended.WholeFirst);
        Assert.IsType<FenceDecision.TooFew>(Decide(Of(3, 2), Unknown, Acknowledged(40, 7), Unknown));
        Assert.IsType<FenceDecision.TooFew>(Decide(Of(3, 2), Acknowledged(24, 7), Unknown, Unknown));
        Assert.Equal(new FenceDecision.NewerChain("a", 5), Decide(Of(3, 2), Acknowledged(40, 7, version: 5), Unknown, Unknown));
    }

    [Fact]
    public void Whatever_was_acknowledged_lies_below_the_end()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var run = 0; run < 20_000; run++)
        {
            var nodes = random.Next(1, 6);
            var acks = random.Next(1, nodes + 1);
            var tails = Enumerable.Range(0, nodes).Select(_ => 25L + random.Next(20)).ToArray();
            var acknowledged = tails.OrderDescending().ElementAt(acks - 1);
            var answers = tails.Select(tail => random.Next(3) == 0 ? Unknown : Tail(tail)).ToArray();
            var decision = Decide(Of(nodes, acks), answers);
            Assert.True(
                decision is FenceDecision.TooFew || (decision is FenceDecision.Ended ended && ended.End >= acknowledged),
                $"seed {seed}, run {run}: {nodes}/{acks}, tails {string.Join(' ', tails)}, {decision}");
        }
    }

    private static NodeAnswer<FencedTail> Unknown => new(null, "no answer");

    private static NodeAnswer<FencedTail> Tail(long position, long time = 0, int opening = 0, long version = 0) =>
        new(new FencedTail(position, time, opening == 0 ? null : Id(opening), version), null);

    private static NodeAnswer<FencedTail> Acknowledged(long position, long time, long version = 0) =>
        new(new FencedTail(position, time, Id(1), version) { IsAcknowledged = true }, null);

    private static ChainSegment Of(int nodes, int acks) =>
        Segment(3, 25, null, 3, [.. Enumerable.Range(0, nodes).Select(i => ((char)('a' + i)).ToString())]) with { AckQuorum = acks };

    private static FenceDecision Decide(ChainSegment segment, params NodeAnswer<FencedTail>[] answers) => FenceDecision.From(segment, 4, answers);
}
