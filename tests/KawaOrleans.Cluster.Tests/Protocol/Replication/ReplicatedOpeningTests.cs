using KawaOrleans.Server.Protocol;
using static KawaOrleans.Cluster.Tests.Protocol.ChainExamples;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication;

public class ReplicatedOpeningTests
{
    private static readonly ReplicaTail Start = new(25, 8192);

    [Fact]
    public void A_batch_is_acknowledged_by_the_primary_and_one_of_two_followers()
    {
        var opening = Of("a", "b", "c");
        Assert.Equal(2, opening.Followers);
        Assert.False(opening.Wrote(new ReplicaTail(30, 9000)));
        Assert.Equal(new FeedStep.Send(Start, 25), opening.Next(0, tellCommitted: false));
        Assert.Equal(new FeedStep.Send(Start, 25), opening.Next(1, tellCommitted: false));
        Assert.True(opening.Answered(1, Held(30, 9000)));
        Assert.Equal(30, opening.Committed);
        Assert.False(opening.Answered(0, Held(30, 9000)));
    }

    [Fact]
    public void Alone_it_acknowledges_only_when_one_is_enough()
    {
        Assert.True(Of("a").Wrote(new ReplicaTail(30, 9000)));
        Assert.False(Of("a", "b", "c").Wrote(new ReplicaTail(30, 9000)));
    }

    [Fact]
    public void One_message_is_under_way_and_the_next_carries_all_that_came_meanwhile()
    {
        var opening = Of("a", "b", "c");
        opening.Wrote(new ReplicaTail(30, 9000));
        Assert.NotNull(opening.Next(0, false));
        opening.Wrote(new ReplicaTail(35, 9900));
        opening.Wrote(new ReplicaTail(40, 10800));
        Assert.Null(opening.Next(0, false));
        opening.Answered(0, Held(30, 9000));
        Assert.Equal(new FeedStep.Send(new ReplicaTail(30, 9000), 30), opening.Next(0, false));
    }

    [Fact]
    public void One_that_does_not_answer_is_sent_the_same_again_and_one_that_fell_behind_is_fed_from_its_tail()
    {
        var opening = Of("a", "b", "c");
        opening.Wrote(new ReplicaTail(30, 9000));
        var sent = opening.Next(0, false);
        Assert.False(opening.Answered(0, new NodeAnswer<FollowerAnswer>(null, "no answer")));
        Assert.Equal(sent, opening.Next(0, false));
        opening.Answered(0, Held(27, 8500));
        Assert.Equal(new FeedStep.Send(new ReplicaTail(27, 8500), 27), opening.Next(0, false));
    }

    [Fact]
    public void What_is_committed_is_told_once_where_nothing_else_is_to_be_sent()
    {
        var opening = Of("a", "b", "c");
        opening.Wrote(new ReplicaTail(30, 9000));
        opening.Next(0, false);
        opening.Answered(0, Held(30, 9000));
        Assert.Null(opening.Next(0, tellCommitted: false));
        Assert.Equal(new FeedStep.Send(new ReplicaTail(30, 9000), 30), opening.Next(0, tellCommitted: true));
        opening.Answered(0, Held(30, 9000));
        Assert.Null(opening.Next(0, tellCommitted: true));
    }

    [Fact]
    public void A_follower_that_was_started_anew_is_told_again_what_is_committed()
    {
        var opening = Of("a", "b", "c");
        opening.Wrote(new ReplicaTail(30, 9000));
        opening.Next(0, false);
        opening.Answered(0, Held(30, 9000));
        opening.Next(0, tellCommitted: true);
        opening.Answered(0, Held(30, 9000));
        opening.Restarted(0);
        Assert.Equal(new FeedStep.Send(new ReplicaTail(30, 9000), 30), opening.Next(0, tellCommitted: false));
        opening.Restarted(0);
        opening.Answered(0, new NodeAnswer<FollowerAnswer>(null, "no answer"));
        Assert.NotNull(opening.Next(0, tellCommitted: false));
        opening.Answered(0, Held(30, 9000));
        Assert.Null(opening.Next(0, tellCommitted: true));
    }

    [Fact]
    public void A_follower_that_keeps_no_chain_is_told_it_first()
    {
        var opening = Of("a", "b", "c");
        opening.Wrote(new ReplicaTail(30, 9000));
        opening.Next(0, false);
        opening.Answered(0, Refused(FollowerRefusal.TellChain));
        Assert.IsType<FeedStep.TellChain>(opening.Next(0, false));
        opening.ChainTold(0, new NodeAnswer<long>(0, "no answer"));
        Assert.IsType<FeedStep.TellChain>(opening.Next(0, false));
        opening.ChainTold(0, new NodeAnswer<long>(4, null));
        Assert.IsType<FeedStep.Send>(opening.Next(0, false));
        Assert.Null(opening.CannotCommit);
    }

    [Fact]
    public void Once_more_than_N_minus_A_refuse_for_ever_the_segment_must_end()
    {
        var opening = Of("a", "b", "c");
        opening.Wrote(new ReplicaTail(30, 9000));
        opening.Next(0, false);
        opening.Next(1, false);
        opening.Answered(0, Refused(FollowerRefusal.Ended));
        Assert.Null(opening.Next(0, true));
        Assert.Null(opening.CannotCommit);
        opening.Answered(1, Refused(FollowerRefusal.OtherWriter));
        Assert.Contains("because it says so", opening.CannotCommit, StringComparison.Ordinal);
        Assert.Equal(25, opening.Committed);
    }

    [Theory]
    [InlineData(29, 8900)]
    [InlineData(41, 10900)]
    public void A_follower_that_lost_what_it_held_or_has_what_was_never_written_counts_no_more(long position, long offset)
    {
        var opening = Of("a", "b", "c");
        opening.Wrote(new ReplicaTail(30, 9000));
        opening.Next(0, false);
        opening.Answered(0, Held(30, 9000));
        opening.Wrote(new ReplicaTail(40, 10800));
        opening.Next(0, false);
        Assert.False(opening.Answered(0, Held(position, offset)));
        Assert.Equal(30, opening.Committed);
        Assert.Null(opening.Next(0, true));
        opening.Next(1, false);
        Assert.True(opening.Answered(1, Held(40, 10800)));
    }

    [Fact]
    public void A_replica_of_another_opening_is_not_counted()
    {
        var opening = Of("a", "b", "c");
        opening.Wrote(new ReplicaTail(30, 9000));
        opening.Next(0, false);
        Assert.False(opening.Answered(0, new NodeAnswer<FollowerAnswer>(new FollowerAnswer(Id(8), new ReplicaTail(30, 9000), FollowerRefusal.None, null), null)));
        Assert.Equal(25, opening.Committed);
    }

    private static ReplicatedOpening Of(params string[] nodes) => new(Segment(3, 25, null, 3, nodes), Id(7), Start);

    private static NodeAnswer<FollowerAnswer> Held(long position, long offset) =>
        new(new FollowerAnswer(Id(7), new ReplicaTail(position, offset), FollowerRefusal.None, null), null);

    private static NodeAnswer<FollowerAnswer> Refused(FollowerRefusal refusal) =>
        new(new FollowerAnswer(Id(7), Start, refusal, "because it says so"), null);
}
