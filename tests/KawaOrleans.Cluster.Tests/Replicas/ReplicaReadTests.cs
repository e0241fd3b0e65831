using KawaOrleans.Cluster.Tests.Streams;
using KawaOrleans.Server.Healing;
using KawaOrleans.Server.Nodes;

namespace KawaOrleans.Cluster.Tests.Replicas;

/// <summary>Reads of a log of three replicas while one of them cannot answer, or must not.</summary>
public sealed class ReplicaReadTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Every_kind_of_read_is_answered_while_a_node_is_silent_and_nobody_noticed_N3_A2(int member)
    {
        await using var log = await ReplicatedLog.Start();
        await log.Append(200);
        await log.AssertAllReads();

        var chain = await log.Told();
        Assert.True(chain.Segments.Count > 2, "the log is meant to have rolled");
        log.Cuts.FromReaders(chain.WriteSegment!.Ensemble[member].Name);
        await log.AssertAllReads();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Every_kind_of_read_is_answered_when_a_silo_died_and_when_it_is_back_N3_A2(int member)
    {
        await using var log = await ReplicatedLog.Start();
        await log.Append(120);
        var open = (await log.Told()).WriteSegment!;
        var dead = ReplicatedLog.SiloOf(open.Ensemble[member].Name);
        await log.Cluster.Kill(dead);
        await log.AssertAllReads();
        await log.Append(60);
        await log.AssertAllReads();
        await log.Cluster.Restart(dead);
        await log.Append(60);
        await log.AssertAllReads();
    }

    /// <summary>What is committed it only had in memory, and nothing more is appended.</summary>
    [Fact]
    public async Task A_follower_that_was_started_anew_answers_for_an_open_segment_again_N3_A2()
    {
        await using var log = await ReplicatedLog.Start();
        await log.Cluster.Kill(2);
        await log.Append(7);
        var open = (await log.Told()).WriteSegment!;
        Assert.Equal(2, open.Ensemble.Count);
        var follower = open.Ensemble[1].Name;
        await log.Restart(follower);

        // Usually the same one. A death that is noticed late has it ended for another, which is begun on both.
        var chain = await log.Told().WaitAsync(TimeSpan.FromSeconds(60));
        log.Cuts.FromReaders(chain.WriteSegment!.Primary);
        await log.AssertAllReads();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_replica_that_was_told_nothing_never_answers_for_all_there_is_N3_A2(int member)
    {
        await using var log = await ReplicatedLog.Start();
        await log.Append(7);
        var first = (await log.Told()).WriteSegment!;
        var behind = first.Ensemble[member].Name;
        log.Cuts.FromPrimaries(behind);
        await log.Append(200);
        var chain = await log.Chain();
        Assert.True(chain.Segments.Count > 2, "the log is meant to have rolled");

        // One that ended, and of which it has less than the chain says.
        var ended = Short(log, chain, behind);
        var told = await Assert.ThrowsAsync<BehindException>(() => log.Segment(ended, behind).ReadStream(
            new StreamReadRequest { Stream = "order-0", AtLeast = ended.End!.Value }).AsTask());
        Assert.Equal((behind, ended.End!.Value), (told.Node, told.AtLeast));
        Assert.True(told.Known < told.AtLeast);
        var request = new ReadRequest { From = ended.Base, To = ended.Base + 1, AtLeast = ended.End.Value };
        await Assert.ThrowsAsync<BehindException>(() => log.Segment(ended, behind).Read(request).AsTask());
        await Assert.ThrowsAsync<BehindException>(() => log.Segment(ended, behind).FindStreams(["order-0"], ended.End.Value).AsTask());
        await Assert.ThrowsAsync<BehindException>(() => log.Segment(ended, behind).ListStreams(new StreamListRequest { Prefix = "", AtLeast = ended.End.Value }).AsTask());
        await Assert.ThrowsAsync<BehindException>(() => log.Segment(ended, behind).Aggregate(
            new AggregationQuery { Name = "count", Range = new RangeQuery { AtLeast = ended.End.Value } }).AsTask());

        var described = await log.Log.DescribeAsync();
        Assert.Contains(described.Problems, problem => problem.Contains($"on node '{behind}': it is short", StringComparison.Ordinal));
        Assert.Equal((207, (string?)null, chain.Segments.Count * 3), (described.Events, described.WhyNotWritable, described.Replicas.Count));

        // The two others know it all; then only one of them is left to ask.
        await log.AssertAllReads();
        log.Cuts.FromReaders(first.Ensemble[3 - member].Name);
        await log.AssertAllReads();
        log.Cuts.Hear(first.Ensemble[3 - member].Name);
        log.Cuts.FromReaders(chain.WriteSegment!.Primary);
        await log.AssertAllReads();
    }

    [Fact]
    public async Task When_no_replica_can_answer_the_error_names_each_and_says_why_N3_A2()
    {
        await using var log = await ReplicatedLog.Start(static options => options.RetryFor = TimeSpan.FromSeconds(0.3));
        await log.Append(7);
        var behind = (await log.Told()).WriteSegment!.Ensemble[2].Name;
        log.Cuts.FromPrimaries(behind);
        await log.Append(200);
        var ended = Short(log, await log.Chain(), behind);
        var others = ended.Ensemble.Where(node => node.Name != behind).ToList();
        var (silent, damaged) = (others[0].Name, others[1].Name);
        log.Cuts.FromReaders(silent);

        // Not healed meanwhile.
        log.Cuts.FromPrimaries(damaged);
        await log.Damage(ended, damaged);
        var error = await Assert.ThrowsAsync<SegmentUnavailableException>(() => StreamTests.Drain(log.Log.ReadAsync(ended.Base)));
        Assert.Equal(ended.Id, error.SegmentId);
        Assert.Equal(3, error.Failures.Count);
        Assert.Contains("no sign of life", error.Failures.Single(failure => failure.Node == silent).Reason, StringComparison.Ordinal);
        Assert.Contains("does not verify", error.Failures.Single(failure => failure.Node == damaged).Reason, StringComparison.Ordinal);
        Assert.Contains("committed up to", error.Failures.Single(failure => failure.Node == behind).Reason, StringComparison.Ordinal);
        Assert.All(error.Failures, failure => Assert.Contains($"'{failure.Node}'", error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_damaged_on_one_node_is_read_from_another_N3_A2()
    {
        await using var log = await ReplicatedLog.Start();
        await log.Append(200);
        var chain = await log.Told();

        // Another node's replica in each segment, the open one's primary's too.
        for (var i = 0; i < chain.Segments.Count; i++)
        {
            await log.Damage(chain.Segments[i], chain.Segments[i].Ensemble[(chain.Segments.Count - 1 - i) % 3].Name);
        }

        await log.AssertReadsByPosition();
        await log.AssertReadsByStream();
        AssertAll(log, await StreamTests.Drain(log.Log.QueryAsync(new RangeQuery { Filter = new EventFilter { Types = ["placed"] } })));
        Assert.Equal(200, (await log.Log.AggregateAsync(new AggregationQuery { Name = "by-type" })).Values["placed"]);
    }

    /// <summary>Bytes go from the map to the reader, who alone verifies them: nobody else would notice.</summary>
    [Fact]
    public async Task What_a_reader_met_damaged_is_mended_N3_A2()
    {
        await using var log = await ReplicatedLog.Start(static options => options.RetryFor = TimeSpan.FromSeconds(0.3));
        await log.Append(200);
        var ended = (await log.Told()).Segments[0];
        var node = ended.Ensemble[1].Name;
        var healer = log.Cluster.Service<Healer>(ReplicatedLog.SiloOf(node));
        await Patiently(() => Task.FromResult(healer.HasVerified(ended.Id)));
        log.Cuts.FromReaders(ended.Ensemble[0].Name);
        log.Cuts.FromReaders(ended.Ensemble[2].Name);
        await log.Damage(ended, node);

        Assert.False(await IsRead());

        await Patiently(IsRead);

        async Task<bool> IsRead()
        {
            try
            {
                await using var events = log.Log.ReadAsync(ended.Base).GetAsyncEnumerator();
                return await events.MoveNextAsync();
            }
            catch (KawaException)
            {
                return false;
            }
        }

        static async Task Patiently(Func<Task<bool>> isSo)
        {
            for (var attempt = 0; !await isSo(); attempt++)
            {
                Assert.True(attempt < 300);
                await Task.Delay(100);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reader_goes_on_at_another_node_amid_a_log_without_gap_or_repeat_N3_A2(bool query)
    {
        await using var log = await ReplicatedLog.Start();
        await log.Append(300);
        await log.Told();
        var read = new List<RecordedEvent>();
        await foreach (var e in query ? log.Log.QueryAsync(new RangeQuery()) : log.Log.ReadAsync())
        {
            read.Add(e);
            if (read.Count % 60 == 30)
            {
                MoveOn(log, read.Count / 60);
            }
        }

        AssertAll(log, read);
    }

    [Theory]
    [InlineData(ReadDirection.Forward)]
    [InlineData(ReadDirection.Backward)]
    public async Task A_reader_goes_on_at_another_node_amid_a_stream_without_gap_or_repeat_N3_A2(ReadDirection direction)
    {
        await using var log = await ReplicatedLog.Start(static options => options.ReadBlockBytes = 4096);
        await log.Append(400);
        await log.Told();
        var expected = log.Appended.Where(e => e.Stream == "order-4");
        var read = new List<RecordedEvent>();
        await foreach (var e in log.Log.Stream("order-4").ReadAsync(direction))
        {
            read.Add(e);
            if (read.Count % 8 == 4)
            {
                MoveOn(log, read.Count / 8);
            }
        }

        ReplicatedLog.AssertSame(direction == ReadDirection.Forward ? expected : expected.Reverse(), read);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("order-2")]
    public async Task A_follower_of_the_log_goes_on_at_another_node_N3_A2(string? stream)
    {
        await using var log = await ReplicatedLog.Start();
        await log.Append(30);
        using var ended = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var read = new List<RecordedEvent>();
        var events = stream is null ? log.Log.ReadAsync(follow: true, cancellation: ended.Token) : log.Log.Stream(stream).ReadAsync(follow: true, cancellation: ended.Token);
        var following = Task.Run(async () =>
        {
            await foreach (var e in events)
            {
                lock (read)
                {
                    read.Add(e);
                }
            }
        });
        for (var round = 0; round < 4; round++)
        {
            MoveOn(log, round);
            await log.Append(70);
            await Until(() => read.Count == log.Appended.Count(e => stream is null || e.Stream == stream), ended.Token);
        }

        ReplicatedLog.AssertSame(log.Appended.Where(e => stream is null || e.Stream == stream), read);
        await ended.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);

        async Task Until(Func<bool> isSo, CancellationToken token)
        {
            while (true)
            {
                lock (read)
                {
                    if (isSo())
                    {
                        return;
                    }
                }

                await Task.Delay(25, token);
            }
        }
    }

    [Fact]
    public async Task When_nobody_that_answers_knows_what_is_acknowledged_the_segment_is_ended_for_its_readers_N3_A2()
    {
        await using var log = await ReplicatedLog.Start();
        await log.Append(20);

        // The primary first: then nobody tells the other one again. Who still knows what is acknowledged is not heard, and nobody appends.
        var open = (await log.Told()).WriteSegment!;
        await log.Restart(open.Primary);
        await log.Restart(open.Ensemble[1].Name);
        log.Cuts.FromReaders(open.Ensemble[2].Name);
        await log.AssertAllReads();
        Assert.Equal(20, (await log.Chain()).Segments.Single(segment => segment.Id == open.Id).End);
    }

    [Fact]
    public async Task A_fenced_replica_shows_what_it_knows_and_sends_readers_for_the_rest_N3_A2()
    {
        await using var log = await ReplicatedLog.Start();
        await log.Append(20);
        await log.AssertReadsByStream();
        var segment = (await log.Told()).WriteSegment!;

        // Ended in the chain, and none of its nodes was told so: to this client and to them it is still the one that is written.
        var nodes = log.Cluster.Service<NodesClient>(0);
        var logId = (await log.Chain()).LogId;
        foreach (var node in segment.Ensemble)
        {
            Assert.True((await nodes.Fence(node.Name, logId, segment.Id, 0, default)).IsKnown);
            log.Cuts.FromPrimaries(node.Name);
        }

        var changer = log.Cluster.Service<Server.Protocol.ChainChanger>(0);
        var error = await Record.ExceptionAsync(() => changer.OpenWriteSegment(log.Log.Name, segment.Id, 0, default));
        Assert.True(error is null or LogNotWritableException, error?.ToString());
        var chain = await log.Chain();
        Assert.Equal(20, chain.Segments.Single(listed => listed.Id == segment.Id).End);
        Assert.Equal(Storage.SegmentState.Fenced, log.Replica(segment, segment.Primary).State);
        var shown = await log.Segment(segment, segment.Primary).ReadStream(new StreamReadRequest { Stream = "order-0" });
        Assert.Equal(
            (log.Appended.Skip((int)segment.Base).Count(e => e.Stream == "order-0"), true, 20L), (shown.Count, shown.HasEnded, shown.Committed));
        log.Cuts.Heal();
        await log.Append(30);
        await log.AssertReadsByStream();
        await log.AssertReadsByPosition();
    }

    [Fact]
    public async Task A_reader_at_a_replica_that_was_fenced_early_waits_for_what_the_segment_still_gets_N3_A2()
    {
        await using var log = await ReplicatedLog.Start();
        await log.Append(20);
        var segment = (await log.Told()).WriteSegment!;
        var fenced = segment.Ensemble[1].Name;
        Assert.True((await log.Cluster.Service<NodesClient>(0).Fence(fenced, (await log.Chain()).LogId, segment.Id, 0, default)).IsKnown);
        var asked = 0;
        log.Cuts.LooksDead = false;
        log.Cuts.Asked = node => _ = node == fenced && Interlocked.Increment(ref asked) > 0;
        log.Cuts.FromReaders(segment.Primary);
        log.Cuts.FromReaders(segment.Ensemble[2].Name);

        // A client of its own: it has not seen what the other one appends.
        using var ended = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var read = new List<RecordedEvent>();
        var enough = new TaskCompletionSource();
        var following = Task.Run(async () =>
        {
            await foreach (var e in log.OtherClient().Stream("order-4").ReadAsync(follow: true, cancellation: ended.Token))
            {
                read.Add(e);
                if (read.Count == 9)
                {
                    enough.SetResult();
                }
            }
        });
        while (Volatile.Read(ref asked) < 5)
        {
            await Task.Delay(25, ended.Token);
        }

        await log.Append(70);
        Assert.True((await log.Chain()).Segments.Count > 1, "the log is meant to have rolled");
        log.Cuts.Heal();
        await Task.WhenAny(enough.Task, following);
        ReplicatedLog.AssertSame(log.Appended.Where(e => e.Stream == "order-4"), read);
        await ended.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    /// <summary>A segment of which a node's replica did not reach the end.</summary>
    private static ChainSegment Short(ReplicatedLog log, Chain chain, string node) => chain.Segments.First(
        segment => segment is { End: { } end, Ensemble.Count: 3 } && log.Replica(segment, node)?.Tail.Position < end);

    /// <summary>One node at a time is silent, another one each time.</summary>
    private static void MoveOn(ReplicatedLog log, int turn)
    {
        log.Cuts.Heal();
        log.Cuts.FromReaders(KawaCluster.NodeName(turn % 3));
    }

    private static void AssertAll(ReplicatedLog log, IEnumerable<RecordedEvent> read) => ReplicatedLog.AssertSame(log.Appended, read);
}
