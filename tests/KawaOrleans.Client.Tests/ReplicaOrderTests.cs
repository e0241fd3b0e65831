namespace KawaOrleans.Client.Tests;

public sealed class ReplicaOrderTests
{
    private static readonly Guid Segment = Guid.NewGuid();
    private static readonly string[] Nodes = ["a", "b", "c"];

    private readonly Clock _clock = new();
    private readonly ReplicaOrder _order;

    public ReplicaOrderTests() => _order = new ReplicaOrder(_clock);

    [Fact]
    public void The_order_given_is_kept_while_all_answer()
    {
        _order.Answered("b");
        Assert.Equal(Nodes, _order.Of(Segment, Nodes));
    }

    [Fact]
    public void A_node_that_did_not_answer_comes_last_for_every_segment_until_it_answers()
    {
        _order.Failed(Segment, "a", new NodeUnavailableException("a"));
        Assert.Equal(["b", "c", "a"], _order.Of(Segment, Nodes));
        Assert.Equal(["c", "b", "a"], _order.Of(Guid.NewGuid(), ["a", "c", "b"]));
        _order.Answered("a");
        Assert.Equal(Nodes, _order.Of(Segment, Nodes));
    }

    [Fact]
    public void One_caller_tries_it_when_the_time_is_over_and_the_others_go_on_avoiding_it_twice_as_long()
    {
        _order.Failed(Segment, "a", new NodeUnavailableException("a"));
        _clock.Advance(2);
        Assert.Equal(Nodes, _order.Of(Segment, Nodes));
        Assert.Equal(["b", "c", "a"], _order.Of(Segment, Nodes));
        _order.Failed(Segment, "a", new NodeUnavailableException("a"));
        _clock.Advance(3.9);
        Assert.Equal(["b", "c", "a"], _order.Of(Segment, Nodes));
        _clock.Advance(0.1);
        Assert.Equal(Nodes, _order.Of(Segment, Nodes));
    }

    [Fact]
    public void A_replica_that_is_behind_or_damaged_comes_last_for_its_segment_alone()
    {
        _order.Failed(Segment, "a", new BehindException(Segment, "a", 3, 5));
        _order.Failed(Segment, "b", new SegmentFaultedException(Segment, "b", "damaged"));
        Assert.Equal(["c", "a", "b"], _order.Of(Segment, Nodes));
        Assert.Equal(Nodes, _order.Of(Guid.NewGuid(), Nodes));
        _clock.Advance(1);
        Assert.Equal(["a", "c", "b"], _order.Of(Segment, Nodes));
        _clock.Advance(29);
        Assert.Equal(Nodes, _order.Of(Segment, Nodes));
    }

    [Fact]
    public void None_is_left_out_when_all_fail()
    {
        foreach (var node in Nodes)
        {
            _order.Failed(Segment, node, new NodeUnavailableException(node));
        }

        Assert.Equal(Nodes, _order.Of(Segment, Nodes));
    }

    private sealed class Clock : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(double seconds) => _now += (long)(seconds * TimeSpan.TicksPerSecond);
    }
}
