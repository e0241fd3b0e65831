using KawaOrleans.Server.Protocol;
using static KawaOrleans.Cluster.Tests.Protocol.ChainExamples;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication;

public class AckTrackingTests
{
    private static readonly Guid Opening = Id(7);

    [Fact]
    public void Acknowledged_is_what_any_A_of_the_N_hold()
    {
        var acks = Of(nodes: 3, quorum: 2);
        Assert.Equal(25, acks.Committed);
        Assert.False(acks.Hold(0, Opening, 40));
        Assert.Equal(25, acks.Committed);
        Assert.True(acks.Hold(2, Opening, 31));
        Assert.Equal(31, acks.Committed);
        Assert.True(acks.Hold(1, Opening, 38));
        Assert.Equal(38, acks.Committed);
        Assert.False(acks.Hold(2, Opening, 37));
        Assert.Equal(38, acks.Committed);
        Assert.True(acks.Hold(2, Opening, 44));
        Assert.Equal(40, acks.Committed);
    }

    [Fact]
    public void What_is_said_to_another_opening_counts_for_nothing()
    {
        var acks = Of(nodes: 2, quorum: 2);
        acks.Hold(0, Opening, 40);
        Assert.False(acks.Hold(1, Id(8), 40));
        Assert.False(acks.Hold(1, null, 40));
        Assert.Equal(25, acks.Committed);
    }

    [Fact]
    public void Acknowledged_never_goes_back()
    {
        var acks = Of(nodes: 3, quorum: 2);
        acks.Hold(0, Opening, 40);
        acks.Hold(1, Opening, 38);
        acks.Forget(1);
        Assert.Equal(38, acks.Committed);
        Assert.False(acks.Hold(2, Opening, 30));
        Assert.Equal(38, acks.Committed);
        Assert.True(acks.Hold(2, Opening, 39));
        Assert.Equal(39, acks.Committed);
    }

    [Fact]
    public void Whatever_is_acknowledged_is_held_by_A()
    {
        var random = new Random(1);
        for (var run = 0; run < 2_000; run++)
        {
            var nodes = random.Next(1, 6);
            var quorum = random.Next(1, nodes + 1);
            var acks = Of(nodes, quorum);
            var held = new long[nodes];
            Array.Fill(held, 25);
            for (var step = 0; step < 20; step++)
            {
                var node = random.Next(nodes);
                held[node] += random.Next(5);
                acks.Hold(node, Opening, held[node]);
                Assert.Equal(held.OrderDescending().ElementAt(quorum - 1), acks.Committed);
            }
        }
    }

    private static AckTracking Of(int nodes, int quorum) => new(
        Segment(3, 25, null, 3, [.. Enumerable.Range(0, nodes).Select(i => ((char)('a' + i)).ToString())]) with { AckQuorum = quorum }, Opening);
}
