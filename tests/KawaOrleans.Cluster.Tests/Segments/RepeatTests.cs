using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Segments;
using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Segments;

/// <summary>Repeated appends against real segments: within one, over a roll, over a restart, and beyond what is remembered.</summary>
public sealed class RepeatTests
{
    [Fact]
    public async Task A_repeat_is_answered_with_its_first_positions_and_not_written_again()
    {
        await using var cluster = await KawaCluster.Start(1);
        var (log, segment) = await NewLog(cluster);
        var batch = PlainLog.Batch(3, tag: "a");
        var first = Assert.IsType<Appended>(await segment.Append(Block.Of(batch)));
        await log.Append(PlainLog.Batch(2, tag: "b"));

        var again = Assert.IsType<Appended>(await segment.Append(Block.Of(batch)));

        Assert.Equal(first with { IsRepeat = true }, again);
        Assert.Equal(5, (await log.Read()).Count);
    }

    [Fact]
    public async Task Two_tries_at_once_write_once_and_both_are_told_the_same_positions()
    {
        await using var cluster = await KawaCluster.Start(1);
        var (log, segment) = await NewLog(cluster);
        for (var round = 0; round < 20; round++)
        {
            var batch = PlainLog.Batch(3, tag: $"{round}");
            var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => segment.Append(Block.Of(batch)).AsTask()));
            var appended = answers.Cast<Appended>().ToList();
            Assert.Single(appended.Select(one => one.First).Distinct());
            Assert.Single(appended, one => !one.IsRepeat);
        }

        Assert.Equal(60, (await log.Read()).Count);
    }

    [Fact]
    public async Task A_block_tells_each_batch_its_own_outcome()
    {
        await using var cluster = await KawaCluster.Start(1);
        var (log, segment) = await NewLog(cluster);
        var known = PlainLog.Batch(2, tag: "known");
        await segment.Append(Block.Of(known));
        var reused = EventBatch.Of(PlainLog.Event("s", "t", "other") with { Id = (await log.Read())[0].Id });
        var fresh = PlainLog.Event("s", "t", "fresh");

        var outcomes = Assert.IsType<BatchOutcomes>(await segment.Append(Block.Of(
            [PlainLog.Batch(1, tag: "new"), known, reused, EventBatch.Encode([fresh, fresh]), PlainLog.Batch(2, tag: "newer")]))).Batches;

        Assert.Equal((2, 1, false), Of(outcomes[0]));
        Assert.Equal((0, 2, true), Of(outcomes[1]));
        Assert.Equal((0, IdConflictKind.OtherContent), (((IdConflict)outcomes[2]).Position, ((IdConflict)outcomes[2]).Kind));
        Assert.Equal(new IdConflict(fresh.Id, 3, IdConflictKind.TwiceInBatch), outcomes[3]);
        Assert.Equal((3, 2, false), Of(outcomes[4]));
        Assert.Equal(["known/0", "known/1", "new/0", "newer/0", "newer/1"], (await log.Read()).Select(PlainLog.TagOf));
    }

    [Fact]
    public async Task A_batch_of_which_a_part_is_in_the_log_is_refused()
    {
        await using var cluster = await KawaCluster.Start(1);
        var (log, segment) = await NewLog(cluster);
        var events = Enumerable.Range(0, 4).Select(i => PlainLog.Event("s", "t", $"{i}")).ToList();
        await segment.Append(Block.Of(EventBatch.Encode(events[..3])));

        var conflict = Assert.IsType<IdConflict>(await segment.Append(Block.Of(EventBatch.Encode([events[3], events[1]]))));

        Assert.Equal((events[1].Id, 1, IdConflictKind.PartlyRepeated), (conflict.EventId, conflict.Position, conflict.Kind));
        Assert.Equal(3, (await log.Read()).Count);
    }

    [Fact]
    public async Task A_repeat_is_known_again_after_rolls_and_after_a_restart_of_the_node()
    {
        await using var cluster = await KawaCluster.Start(2);
        var log = await new PlainLog(cluster.Client, "orders").Create();
        var batches = Enumerable.Range(0, 60).Select(i => PlainLog.Batch(20, bytes: 200, tag: $"{i}")).ToList();
        var first = new List<Appended>();
        foreach (var batch in batches)
        {
            first.Add(await log.Append(batch));
        }

        Assert.True((await log.Directory.GetChain()).Segments.Count > 3, "the log is meant to have rolled");
        await CheckRepeats(log, batches, first);
        var owner = (await log.Directory.GetChain()).WriteSegment!.Primary;
        var index = int.Parse(owner["node-".Length..], System.Globalization.CultureInfo.InvariantCulture);
        await cluster.Kill(index);
        await cluster.Restart(index);

        await CheckRepeats(log, batches, first);
        Assert.Equal(1200, (await log.Read()).Count);
    }

    [Fact]
    public async Task A_retry_from_before_what_is_remembered_is_told_so_and_not_written()
    {
        await using var cluster = await KawaCluster.Start(
            1, configure: silo => silo.Services.Configure<Server.KawaEventStoreOptions>(options => options.RememberedEvents = 10));
        var (log, segment) = await NewLog(cluster);
        var old = PlainLog.Batch(2, tag: "old");
        await segment.Append(Block.Of(old));
        for (var i = 0; i < 10; i++)
        {
            await segment.Append(Block.Of(PlainLog.Batch(2, tag: $"{i}")));
        }

        Assert.Equal(new TooOldToTell(12), await segment.Append(new AppendRequest { Batches = Block.Of(old), RetrySince = 0 }));
        Assert.Equal(22, (await log.Read()).Count);

        // Known to be first tried when the writer already remembered: not in there means not in the log.
        Assert.Equal((22, 1, false), Of(await segment.Append(new AppendRequest { Batches = Block.Of(PlainLog.Batch(1)), RetrySince = 15 })));
    }

    /// <summary>The log went on at another node, which has the heads of its streams, but cannot read back who wrote what before.</summary>
    [Fact]
    public async Task Ids_that_lie_on_a_node_that_is_away_are_not_guessed_at()
    {
        await using var cluster = await KawaCluster.Start(2);
        var (log, _) = await NewLog(cluster);
        var old = PlainLog.Batch(3, tag: "old");
        await log.Append(old);
        var chain = await log.Directory.GetChain();
        var before = chain.WriteSegment!;
        var from = before.Primary == KawaCluster.NodeName(0) ? 0 : 1;
        var (here, there) = (cluster.Service<LocalNode>(from), cluster.Service<LocalNode>(1 - from));
        var next = before with { Id = Guid.NewGuid(), Epoch = before.Epoch + 1, Base = 3, Ensemble = [there.Report().Node] };
        there.Prepare(new Server.Protocol.NewSegment
        {
            LogId = chain.LogId, LogName = "orders", Segment = next, Predecessor = before.Id, ChainVersion = chain.Version, TimestampFloor = 0,
        });
        var moved = chain with { Version = chain.Version + 1, Segments = [before with { End = 3 }, next] };
        here.Announce(moved);
        there.Announce(moved);
        Assert.Null(await cluster.Service<HeadsBefore>(1 - from).Fetch(there.Find(next.Id)!, moved));
        await cluster.Kill(from);
        var segment = log.Grain(next);

        Assert.Equal(new TooOldToTell(3), await Patiently(() => segment.Append(new AppendRequest { Batches = Block.Of(old), RetrySince = 0 }).AsTask()));

        var fresh = PlainLog.Batch(2, tag: "fresh");
        Assert.Equal((3, 2, false), Of(await segment.Append(new AppendRequest { Batches = Block.Of(fresh), RetrySince = 3 })));
        Assert.Equal((3, 2, true), Of(await segment.Append(Block.Of(fresh))));
    }

    [Fact]
    public async Task Calls_of_a_line_are_taken_in_their_order_only()
    {
        await using var cluster = await KawaCluster.Start(1);
        var (log, segment) = await NewLog(cluster);
        var line = Guid.NewGuid();
        ValueTask<AppendResult> Send(long run, long sequence, Guid? other = null) => segment.Append(
            new AppendRequest { Batches = Block.Of(PlainLog.Batch(1, tag: $"{run}.{sequence}")), Order = new BlockOrder(other ?? line, run, sequence) });

        Assert.IsType<OutOfSequence>(await Send(3, 1));
        Assert.IsType<Appended>(await Send(3, 0));
        Assert.IsType<OutOfSequence>(await Send(3, 0));
        Assert.IsType<OutOfSequence>(await Send(3, 2));
        Assert.IsType<Appended>(await Send(3, 1));
        Assert.IsType<OutOfSequence>(await Send(2, 0));
        Assert.IsType<OutOfSequence>(await Send(2, 2));
        Assert.IsType<OutOfSequence>(await Send(4, 1));
        Assert.IsType<Appended>(await Send(4, 0));
        Assert.IsType<OutOfSequence>(await Send(3, 2));
        Assert.IsType<Appended>(await Send(0, 0, Guid.NewGuid()));
        Assert.Equal(["3.0/0", "3.1/0", "4.0/0", "0.0/0"], (await log.Read()).Select(PlainLog.TagOf));
    }

    private static (long First, int Count, bool IsRepeat) Of(AppendResult result)
    {
        var appended = Assert.IsType<Appended>(result);
        return (appended.First, appended.Count, appended.IsRepeat);
    }

    /// <summary>Until the cluster has noticed a death, calls may be lost.</summary>
    private static async Task<T> Patiently<T>(Func<Task<T>> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (Exception e) when (attempt < 10 && e is TimeoutException or Orleans.Runtime.OrleansException)
            {
                await Task.Delay(100);
            }
        }
    }

    private static async Task CheckRepeats(PlainLog log, List<EventBatch> batches, List<Appended> first)
    {
        for (var i = 0; i < batches.Count; i += 7)
        {
            Assert.Equal(first[i] with { IsRepeat = true }, await log.Append(batches[i]));
        }
    }

    private static async Task<(PlainLog Log, ISegmentGrain Segment)> NewLog(KawaCluster cluster)
    {
        var log = await new PlainLog(cluster.Client, "orders").Create();
        return (log, log.Grain((await log.Directory.OpenWriteSegment(null, 0)).WriteSegment!));
    }
}
