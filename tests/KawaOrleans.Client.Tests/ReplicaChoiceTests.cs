namespace KawaOrleans.Client.Tests;

/// <summary>Which replicas of a segment are asked, for how long, and what is told when none answers.</summary>
public sealed class ReplicaChoiceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.8);

    private readonly ReplicaChoice _replicas = new(TimeProvider.System);
    private readonly List<string> _asked = [];

    [Fact]
    public async Task The_primary_of_an_open_segment_is_asked_first_and_the_others_when_it_does_not_answer()
    {
        var segment = Segment(null, "a", "b", "c");
        Assert.Equal("a", await Ask(segment));
        Assert.Equal("c", await Ask(segment, "a", "b"));
        Assert.Equal(["a", "a", "b", "c"], _asked);

        // Remembered: those two come last from then on.
        Assert.Equal("c", await Ask(segment));
    }

    [Fact]
    public async Task Ended_segments_are_spread_over_their_nodes_and_each_stays_with_one()
    {
        var first = new HashSet<string>();
        for (var i = 0; i < 50; i++)
        {
            var segment = Segment(10, "a", "b", "c");
            var node = await Ask(segment);
            Assert.Equal(node, await Ask(segment));
            first.Add(node);
        }

        Assert.Equal(["a", "b", "c"], first.Order());
    }

    [Fact]
    public async Task Each_gets_its_share_of_the_patience_and_an_only_one_all_of_it()
    {
        var shares = new List<TimeSpan>();
        await Assert.ThrowsAsync<SegmentUnavailableException>(() => _replicas.AskAsync<int>(Segment(null, "a", "b", "c"), Silent, Patience, default));
        Assert.Equal(3, shares.Count);
        Assert.InRange(shares[0].TotalSeconds, 0.1, 0.6);
        Assert.InRange(shares[2].TotalSeconds, shares[1].TotalSeconds, 1.8);
        shares.Clear();
        await Assert.ThrowsAsync<NodeUnavailableException>(() => _replicas.AskAsync<int>(Segment(null, "a"), Silent, Patience, default));
        Assert.Equal([Patience], shares);

        Task<int> Silent(string node, TimeSpan most, CancellationToken cancellation)
        {
            shares.Add(most);
            throw new NodeUnavailableException(node);
        }
    }

    [Fact]
    public async Task When_none_answers_each_is_named_with_its_reason_and_it_may_help_to_ask_again_if_one_was_away()
    {
        var segment = Segment(10, "a", "b");
        var error = await Assert.ThrowsAsync<SegmentUnavailableException>(() => _replicas.AskAsync<int>(segment, Fails, Patience, default));
        Assert.Equal(segment.Id, error.SegmentId);
        Assert.Equal(["a: Damaged", "b: Away"], error.Failures.Select(failure => $"{failure.Node}: {(failure.IsRetryable ? "Away" : "Damaged")}").Order());
        Assert.True(error.IsRetryable);
        Assert.Contains("rotten", error.Message, StringComparison.Ordinal);
        Assert.Contains("'b'", error.Message, StringComparison.Ordinal);

        Task<int> Fails(string node, TimeSpan most, CancellationToken cancellation) => throw (node == "a"
            ? new SegmentFaultedException(segment.Id, node, "rotten")
            : new NodeUnavailableException(node));
    }

    [Fact]
    public async Task A_request_that_breaks_a_rule_is_not_asked_elsewhere()
    {
        await Assert.ThrowsAsync<RequestRefusedException>(() => _replicas.AskAsync<int>(Segment(null, "a", "b"), Refuse, Patience, default));
        Assert.Equal(["a"], _asked);

        Task<int> Refuse(string node, TimeSpan most, CancellationToken cancellation)
        {
            _asked.Add(node);
            throw new RequestRefusedException("no");
        }
    }

    [Theory]
    [InlineData(true, null, 7)]
    [InlineData(false, null, 0)]
    [InlineData(true, 10L, 0)]
    public async Task Who_waited_for_nothing_at_one_replica_of_an_open_segment_looks_at_another(bool othersKnow, long? end, int expected)
    {
        var waits = new List<TimeSpan>();
        var found = 0;
        for (var i = 0; i < 3 && found == 0; i++)
        {
            found = await _replicas.AskAsync(Segment(end, "a", "b", "c"), TimeSpan.FromSeconds(2), Look, static news => news > 0, Patience, default);
        }

        Assert.Equal(expected, found);
        Assert.Equal(end is null, waits.Contains(TimeSpan.Zero));
        Assert.Contains(TimeSpan.FromSeconds(2), waits);

        Task<int> Look(string node, TimeSpan most, TimeSpan wait, CancellationToken cancellation)
        {
            waits.Add(wait);
            return Task.FromResult(othersKnow && wait == TimeSpan.Zero && node != "a" ? 7 : 0);
        }
    }

    private Task<string> Ask(ChainSegment segment, params string[] away) => _replicas.AskAsync(
        segment,
        (node, _, _) =>
        {
            _asked.Add(node);
            return away.Contains(node) ? Task.FromException<string>(new NodeUnavailableException(node)) : Task.FromResult(node);
        },
        Patience,
        default);

    private static ChainSegment Segment(long? end, params string[] nodes) => new()
    {
        Id = Guid.NewGuid(), Generation = 0, Epoch = 1, Base = 0, End = end, FileBytes = 64 * 1024, AckQuorum = 1,
        Ensemble = [.. nodes.Select(node => new ChainNode(node, Guid.NewGuid()))],
    };
}
