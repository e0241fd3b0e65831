using KawaOrleans.Server.Protocol;
using static KawaOrleans.Cluster.Tests.Protocol.ChainExamples;

namespace KawaOrleans.Cluster.Tests.Protocol;

public class RangePlannerTests
{
    [Fact]
    public void The_whole_log_is_all_segments_up_to_what_is_committed()
    {
        var plan = RangePlanner.Plan(Three("b"), 31, new RangeQuery());
        Assert.Equal((4, 0, 31), (plan.ChainVersion, plan.From, plan.To));
        Assert.Equal([(Id(1), "a", 0, 10), (Id(2), "a", 10, 25), (Id(3), "b", 25, 31)], plan.Slices.Select(Of));
    }

    [Fact]
    public void A_range_takes_only_its_part_of_each_segment()
    {
        Assert.Equal([(Id(1), "a", 7, 10), (Id(2), "a", 10, 12)], Slices(7, 12));
        Assert.Equal([(Id(2), "a", 10, 25)], Slices(10, 25));
        Assert.Empty(Slices(12, 12));
        Assert.Empty(Slices(0, 0));
    }

    [Fact]
    public void Nothing_beyond_committed_is_planned()
    {
        var plan = RangePlanner.Plan(Three(), 31, new RangeQuery { From = 40, To = 50 });
        Assert.Equal((31, 31, 0), (plan.From, plan.To, plan.Slices.Count));
    }

    [Fact]
    public void Sealed_segments_are_committed_whatever_the_caller_heard()
    {
        Assert.Equal(25, RangePlanner.Plan(Three(), 0, new RangeQuery()).To);
        var ended = Three() with { Segments = [.. Three().Segments.SkipLast(1)] };
        Assert.Equal(25, RangePlanner.Plan(ended, 99, new RangeQuery()).To);
    }

    [Fact]
    public void A_log_without_segments_has_an_empty_plan()
    {
        var plan = RangePlanner.Plan(ChainRules.New(Id(99), "orders", new LogOptions()), 0, new RangeQuery { From = 5 });
        Assert.Equal((0, 0, 0), (plan.From, plan.To, plan.Slices.Count));
    }

    [Fact]
    public void The_first_position_is_one_that_the_log_still_has()
    {
        var cut = Three() with { Segments = [.. Three().Segments.Skip(1)] };
        Assert.Equal(10, RangePlanner.Plan(cut, 30, new RangeQuery()).From);
        Assert.Empty(RangePlanner.Plan(cut, 30, new RangeQuery { To = 5 }).Slices);
    }

    [Theory]
    [InlineData(-1, 5, 1)]
    [InlineData(long.MinValue, 5, 1)]
    [InlineData(0, -1, 1)]
    [InlineData(6, 5, 1)]
    [InlineData(0, 5, -1)]
    public void A_negative_or_reversed_range_is_refused(long from, long to, long limit) => Assert.Throws<RequestRefusedException>(
        () => RangePlanner.Plan(Three(), 31, new RangeQuery { From = from, To = to, Limit = limit }));

    [Fact]
    public void The_largest_numbers_do_not_overflow()
    {
        Assert.Empty(Slices(long.MaxValue, long.MaxValue));
        Assert.Equal(long.MaxValue, RangePlanner.Plan(Three(), long.MaxValue, new RangeQuery()).To);
    }

    [Fact]
    public void The_primary_is_asked_for_committed_only_when_the_query_needs_it()
    {
        Assert.Null(RangePlanner.KnownCommitted(Three(), new RangeQuery()));
        Assert.Equal(25, RangePlanner.KnownCommitted(Three(), new RangeQuery { To = 25 }));
        Assert.Equal(0, RangePlanner.KnownCommitted(ChainRules.New(Id(99), "orders", new LogOptions()), new RangeQuery()));
    }

    [Fact]
    public void Slices_are_gap_free_and_cover_exactly_the_range()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var run = 0; run < 5000; run++)
        {
            var (from, to, committed) = (random.Next(60), random.Next(60), 25 + random.Next(20));
            if (to < from)
            {
                continue;
            }

            var plan = RangePlanner.Plan(Three(), committed, new RangeQuery { From = from, To = to });
            var next = plan.From;
            foreach (var slice in plan.Slices)
            {
                Assert.True(slice.From == next && slice.To > slice.From, $"seed {seed}, run {run}");
                next = slice.To;
            }

            Assert.True(next == plan.To && plan.To == Math.Min(to, committed) && plan.From == Math.Min(from, plan.To), $"seed {seed}, run {run}");
        }
    }

    [Fact]
    public void A_slice_names_all_nodes_that_hold_it_the_primary_first()
    {
        var chain = Three();
        ChainNode[] nodes = [new("b", Guid.NewGuid()), new("c", Guid.NewGuid()), new("a", Guid.NewGuid())];
        chain = chain with { Segments = [.. chain.Segments.Select(segment => segment with { Ensemble = nodes })] };
        Assert.All(RangePlanner.Plan(chain, 31, new RangeQuery()).Slices, slice => Assert.Equal(["b", "c", "a"], slice.Nodes));
    }

    private static (Guid SegmentId, string Nodes, long From, long To) Of(RangeSlice slice) =>
        (slice.SegmentId, string.Join(',', slice.Nodes), slice.From, slice.To);

    private static IEnumerable<(Guid SegmentId, string Nodes, long From, long To)> Slices(long from, long to) =>
        RangePlanner.Plan(Three(), 31, new RangeQuery { From = from, To = to }).Slices.Select(Of);
}
