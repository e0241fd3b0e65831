using KawaOrleans.Server.Logs;
using static KawaOrleans.Cluster.Tests.Protocol.ChainExamples;

namespace KawaOrleans.Cluster.Tests.Logs;

/// <summary>What is said of a log's replicas, by what their nodes say.</summary>
public sealed class LogDescriberTests
{
    private static readonly Chain Log = Three("a", "b", "c") with
    {
        Options = new LogOptions { Replicas = 3, AckQuorum = 2 },
        Segments = [Segment(1, 0, 10, 1, "a", "b", "c"), Segment(2, 10, 25, 2, "b", "c"), Segment(3, 25, null, 3, "a", "b", "c")],
    };

    [Fact]
    public void Every_replica_is_shown_and_what_is_wrong_with_it_is_said()
    {
        var log = LogDescriber.Describe(Log, (segment, node) => (segment.Base, node) switch
        {
            (0, "a") => Replica(segment, node, ReplicaState.Damaged, 0) with { Problem = "offset 4096 does not verify" },
            (10, "c") => Replica(segment, node, ReplicaState.Missing, 0) with { Problem = "node 'c' has no file of it" },
            (25, "b") => Replica(segment, node, ReplicaState.Unknown, 0) with { Problem = "node 'b' has no live silo" },
            (25, _) => Replica(segment, node, ReplicaState.Open, 4),
            _ => Replica(segment, node, ReplicaState.Sealed, segment.End!.Value - segment.Base),
        }, null);
        Assert.Equal("a0 b0 c0 b10 c10 a25 b25 c25", string.Join(' ', log.Replicas.Select(replica => replica.Node + Log.Segments.Single(s => s.Id == replica.SegmentId).Base)));
        Assert.Equal(["b", "b", "a"], log.Segments.Select(segment => segment.Node));
        Assert.Equal((29, (string?)null), (log.Events, log.WhyNotWritable));
        Assert.Collection(
            log.Problems,
            problem => Assert.EndsWith("is Damaged on node 'a': offset 4096 does not verify", problem, StringComparison.Ordinal),
            problem => Assert.EndsWith("(positions 10 to 25) is under-replicated: on 2 nodes, not 3", problem, StringComparison.Ordinal),
            problem => Assert.EndsWith("is Missing on node 'c': node 'c' has no file of it", problem, StringComparison.Ordinal),
            problem => Assert.EndsWith("waits for node 'b': node 'b' has no live silo", problem, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("b", true)]
    [InlineData("a", true)]
    [InlineData("ab", false)]
    [InlineData("bc", false)]
    [InlineData("abc", false)]
    public void A_log_takes_writes_while_enough_nodes_answer_to_write_or_to_end_its_open_segment(string away, bool isWritable)
    {
        var log = LogDescriber.Describe(
            Log,
            (segment, node) => away.Contains(node, StringComparison.Ordinal)
                ? Replica(segment, node, ReplicaState.Unknown, 0) with { Problem = $"node '{node}' has no live silo" }
                : Replica(segment, node, segment.IsOpen ? ReplicaState.Open : ReplicaState.Sealed, 3),
            null);
        Assert.Equal(isWritable, log.WhyNotWritable is null);
        if (!isWritable)
        {
            Assert.StartsWith("2 of the 3 nodes of its open segment", log.WhyNotWritable, StringComparison.Ordinal);
            Assert.All(away, node => Assert.Contains($"node '{node}' has no live silo", log.WhyNotWritable, StringComparison.Ordinal));
        }
    }

    private static SegmentDescription Replica(ChainSegment segment, string node, ReplicaState state, long events) => new()
    {
        SegmentId = segment.Id, Node = node, State = state, Problem = null,
        Stats = state is ReplicaState.Open or ReplicaState.Sealed
            ? new SegmentStats
            {
                SegmentId = segment.Id, Path = "", IsReadOnly = false, TotalBytes = 1, UsedBytes = 1, Events = events, Base = segment.Base,
                Committed = segment.Base + events, State = state,
            }
            : null,
    };
}
