using KawaOrleans.Server.Protocol;
using static KawaOrleans.Cluster.Tests.Protocol.ChainExamples;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication;

public class FollowerVerdictTests
{
    private static readonly ReplicaTail Tail = new(30, 9000);

    private static readonly FollowerStanding Open = new(ReplicaState.Open, 3, Id(7), Tail);

    private static readonly Chain Known = Three("a", "b", "c");

    private static readonly FollowerAppend Append = new()
    {
        LogId = Id(99), SegmentId = Id(3), Generation = 0, Epoch = 3, OpeningId = Id(7), From = Tail, Committed = 28,
    };

    [Fact]
    public void It_takes_what_begins_at_its_tail()
    {
        Assert.IsType<FollowerVerdict.Take>(On(Append));
        Assert.IsType<FollowerVerdict.Take>(On(Append, Open with { State = ReplicaState.Prepared, OpeningId = null }));
    }

    [Theory]
    [InlineData(29, 9000)]
    [InlineData(30, 8992)]
    [InlineData(31, 9008)]
    public void What_begins_elsewhere_changes_nothing(long position, long offset) =>
        Assert.IsType<FollowerVerdict.AnswerTail>(On(Append with { From = new ReplicaTail(position, offset) }));

    [Theory]
    [InlineData(ReplicaState.Fenced)]
    [InlineData(ReplicaState.Sealed)]
    public void A_fenced_replica_takes_nothing_from_its_writer(ReplicaState state) =>
        Assert.Equal(FollowerRefusal.Ended, Refusal(On(Append, Open with { State = state })));

    [Fact]
    public void Only_the_first_opening_of_its_epoch_is_followed()
    {
        Assert.Equal(FollowerRefusal.OtherWriter, Refusal(On(Append with { OpeningId = Id(8) })));
        Assert.Equal(FollowerRefusal.OtherWriter, Refusal(On(Append with { Epoch = 4 })));
        Assert.Equal(FollowerRefusal.OtherWriter, Refusal(FollowerVerdict.On(Append, Open, Known, "a")));
        Assert.Equal(FollowerRefusal.OtherWriter, Refusal(FollowerVerdict.On(Append, Open, Known, "d")));
    }

    [Fact]
    public void Nothing_is_taken_before_a_chain_that_lists_the_segment_is_kept()
    {
        Assert.Equal(FollowerRefusal.TellChain, Refusal(FollowerVerdict.On(Append, Open, null, "b")));
        Assert.Equal(FollowerRefusal.TellChain, Refusal(FollowerVerdict.On(Append, Open, Known with { Segments = [.. Known.Segments.Take(2)] }, "b")));
        Assert.Equal(FollowerRefusal.TellChain, Refusal(On(Append with { Generation = 1 })));
    }

    [Fact]
    public void A_chain_that_ended_the_segment_ends_it_here() => Assert.Equal(
        FollowerRefusal.Ended,
        Refusal(FollowerVerdict.On(Append, Open, Known with { Segments = [.. Known.Segments.Take(2), Known.Segments[2] with { End = 30 }] }, "b")));

    private static FollowerVerdict On(FollowerAppend append, FollowerStanding? replica = null) => FollowerVerdict.On(append, replica ?? Open, Known, "b");

    private static FollowerRefusal Refusal(FollowerVerdict verdict) => Assert.IsType<FollowerVerdict.Refuse>(verdict).Refusal;
}
