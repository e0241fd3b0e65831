using KawaOrleans.Server.Nodes;
using KawaOrleans.Storage.Tests.Streams;
using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Streams;

/// <summary>Streams as an application sees them, against real nodes.</summary>
public sealed class StreamTests
{
    [Fact]
    public async Task An_append_under_an_expectation_is_written_or_says_where_the_stream_is()
    {
        await using var cluster = await Start(1);
        var stream = Log(cluster, "orders").Stream("order-42");

        Assert.Equal(new RevisionConflict("order-42", ExpectedRevision.StreamExists, -1), await stream.AppendAsync([Event("order-42", "x")], ExpectedRevision.StreamExists));
        Assert.Equal(new RevisionConflict("order-42", ExpectedRevision.Exactly(0), -1), await stream.AppendAsync([Event("order-42", "x")], ExpectedRevision.Exactly(0)));
        AssertAppended(0, 1, [1], await stream.AppendAsync([Event("order-42", "a"), Event("order-42", "b")], ExpectedRevision.NoStream));
        Assert.Equal(new RevisionConflict("order-42", ExpectedRevision.NoStream, 1), await stream.AppendAsync([Event("order-42", "x")], ExpectedRevision.NoStream));
        AssertAppended(2, 2, [2], await stream.AppendAsync([Event("order-42", "c")], ExpectedRevision.Exactly(1)));
        AssertAppended(3, 3, [3], await stream.AppendAsync([Event("order-42", "d")], ExpectedRevision.StreamExists));
        AssertAppended(4, 4, [4], await stream.AppendAsync([Event("order-42", "e")]));

        var read = await Drain(stream.ReadAsync());
        Assert.Equal([(0L, 0L, "a"), (1, 1, "b"), (2, 2, "c"), (3, 3, "d"), (4, 4, "e")], read.Select(e => (e.Position, e.Revision, PlainLog.TagOf(e))));
    }

    [Fact]
    public async Task A_batch_over_several_streams_is_written_whole_or_not_at_all()
    {
        await using var cluster = await Start(1);
        var log = Log(cluster, "accounts");
        var batch = EventBatch.Encode([Event("from", "1"), Event("to", "2"), Event("to", "3")]);
        var expected = StreamExpectations.Of(
            new StreamExpectation("from", ExpectedRevision.NoStream), new StreamExpectation("to", ExpectedRevision.NoStream),
            new StreamExpectation("owner", ExpectedRevision.StreamExists));

        Assert.Equal(new RevisionConflict("owner", ExpectedRevision.StreamExists, -1), await log.AppendAsync(batch, expected));
        await log.AppendAsync(Event("owner", "0"));
        Assert.Equal([0L], (await Drain(log.ReadAsync())).Select(e => e.Position));
        AssertAppended(1, 3, [0, 1, -1], await log.AppendAsync(batch, expected));

        // The same events again, although the streams are no longer as they expect: the same answer, and nothing is written.
        var again = Assert.IsType<Appended>(await log.AppendAsync(batch, expected));
        Assert.True(again.IsRepeat);
        AssertAppended(1, 3, [0, 1, -1], again);
        Assert.Equal(4, (await Drain(log.ReadAsync())).Count);
    }

    [Fact]
    public async Task A_repeat_is_answered_first_whatever_is_expected_also_after_a_roll_and_a_restart()
    {
        await using var cluster = await Start(1);
        var store = cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>();
        var log = await store.CreateLogAsync("orders", new LogOptions { SegmentBytes = 64 * 1024 });
        await log.Stream("s").AppendAsync([Event("s", "0")], ExpectedRevision.NoStream);
        var given = new List<(EventBatch Batch, StreamExpectations Expected, Appended First)>();
        foreach (var expected in new[] { ExpectedRevision.Any, ExpectedRevision.StreamExists, ExpectedRevision.Exactly(4), ExpectedRevision.NoStream })
        {
            var stream = expected == ExpectedRevision.NoStream ? "new" : "s";
            var batch = EventBatch.Encode([Event(stream, "1"), Event("beside", "2"), Event(stream, "3")]);
            var expectations = StreamExpectations.Of(new StreamExpectation(stream, expected));
            given.Add((batch, expectations, Assert.IsType<Appended>(await log.AppendAsync(batch, expectations))));
        }

        Assert.Equal([2, 4, 6, 1], given.Select(one => one.First.Revisions!.Single()));
        await AssertRepeats();
        await log.AppendAsync(PlainLog.Batch(40, stream: "s", bytes: 3000));
        await log.AppendAsync(PlainLog.Batch(40, stream: "new", bytes: 3000));
        Assert.True((await log.DescribeAsync()).Segments.Count > 1, "the log is meant to have rolled");
        await AssertRepeats();
        await cluster.Kill(0);
        await cluster.Restart(0);
        await Patiently(AssertRepeats);
        Assert.Equal(93, (await Drain(log.ReadAsync())).Count);

        async Task AssertRepeats()
        {
            foreach (var (batch, expected, first) in given)
            {
                var again = Assert.IsType<Appended>(await log.AppendAsync(batch, expected));
                Assert.Equal((first.First, first.Count, first.Recorded, true), (again.First, again.Count, again.Recorded, again.IsRepeat));
                Assert.Equal(first.Revisions, again.Revisions);
            }
        }
    }

    [Fact]
    public async Task A_stream_is_read_both_ways_over_many_segments_and_a_restart()
    {
        await using var cluster = await Start(2);
        var store = cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>();
        var log = await store.CreateLogAsync("orders", new LogOptions { SegmentBytes = 64 * 1024 });
        var (a, b) = SameHash.Pairs[0];
        var written = new Dictionary<string, List<Guid>>();
        for (var i = 0; i < 900; i++)
        {
            var stream = i % 50 == 0 ? "rare" : i == 0 || i == 1 ? "once" : i % 3 == 0 ? a : i % 3 == 1 ? b : $"other-{i}";
            var e = PlainLog.Event(stream, "happened", $"{i}", bytes: 600);
            await log.AppendAsync(e);
            (written.TryGetValue(stream, out var ids) ? ids : written[stream] = []).Add(e.Id);
        }

        Assert.True((await log.DescribeAsync()).Segments.Count > 5, "the log is meant to have rolled");
        await AssertReads(log, written, "rare", "once", a, b, "other-5", "other-899");
        var owner = (await log.DescribeAsync()).Segments[^1].Node == KawaCluster.NodeName(0) ? 0 : 1;
        await cluster.Kill(owner);
        await cluster.Restart(owner);
        await Patiently(async () => AssertAppended(900, 900, [written[a].Count], await log.Stream(a).AppendAsync([Event(a, "after")], ExpectedRevision.Exactly(written[a].Count - 1))));
        written[a].Add((await log.Stream(a).TryReadLastAsync())!.Id);
        await AssertReads(log, written, "rare", "once", a, b, "other-5", "other-899");
        Assert.Equal(written.Keys.Order(StringComparer.Ordinal), (await Drain(log.ListStreamsAsync())).Order(StringComparer.Ordinal));
        Assert.Equal(written.Keys.Where(s => s.StartsWith("other-5", StringComparison.Ordinal)), await Drain(log.ListStreamsAsync("other-5")));
    }

    [Fact]
    public async Task A_stream_without_events_has_none_and_no_bounds()
    {
        await using var cluster = await Start(1);
        var log = Log(cluster, "orders");
        await Assert.ThrowsAsync<UnknownLogException>(() => log.Stream("s").TryReadLastAsync());
        await log.AppendAsync(Event("other", "1"));

        Assert.Empty(await Drain(log.Stream("s").ReadAsync()));
        Assert.Empty(await Drain(log.Stream("s").ReadAsync(ReadDirection.Backward)));
        Assert.Null(await log.Stream("s").TryReadLastAsync());
        Assert.Null(await log.Stream("s").DescribeAsync());
        Assert.Empty(await Drain(log.Stream("other").ReadAsync(from: 1)));
    }

    [Fact]
    public async Task A_log_that_goes_on_at_another_node_goes_on_with_its_revisions()
    {
        await using var cluster = await Start(2);
        var log = Log(cluster, "moved");
        await log.Stream("a").AppendAsync([Event("a", "0"), Event("a", "1")], ExpectedRevision.NoStream);
        await log.Stream("b").AppendAsync([Event("b", "0")], ExpectedRevision.NoStream);
        var chain = await cluster.Client.GetGrain<ISegmentDirectoryGrain>("moved").GetChain();
        var old = chain.WriteSegment!;
        var from = old.Primary == KawaCluster.NodeName(0) ? 0 : 1;
        var (here, there) = (cluster.Service<LocalNode>(from), cluster.Service<LocalNode>(1 - from));
        var next = old with { Id = Guid.NewGuid(), Epoch = old.Epoch + 1, Base = 3, Ensemble = [there.Report().Node] };
        there.Prepare(new Server.Protocol.NewSegment
        {
            LogId = chain.LogId, LogName = "moved", Segment = next, Predecessor = old.Id, ChainVersion = chain.Version, TimestampFloor = 0,
        });
        var moved = chain with { Version = chain.Version + 1, Segments = [old with { End = 3 }, next] };
        here.Announce(moved);
        there.Announce(moved);
        var grain = cluster.Client.GetGrain<ISegmentGrain>(next.Id, next.Primary);

        Assert.Equal(new RevisionConflict("a", ExpectedRevision.NoStream, 1), await Append("a", ExpectedRevision.NoStream));
        AssertAppended(3, 3, [2], await Append("a", ExpectedRevision.Exactly(1)));
        AssertAppended(4, 4, [0], await Append("new", ExpectedRevision.NoStream));
        AssertAppended(5, 5, [1], await Append("b", ExpectedRevision.StreamExists));

        async Task<AppendResult> Append(string stream, ExpectedRevision expected) => await grain.Append(new AppendRequest
        {
            Batches = Block.Of(EventBatch.Of(Event(stream, "moved"))), Expected = [StreamExpectations.Of(new StreamExpectation(stream, expected))],
        });
    }

    [Fact]
    public async Task Bad_input_is_refused_with_the_limit_and_writes_nothing()
    {
        await using var cluster = await Start(1);
        var log = Log(cluster, "orders");
        await log.AppendAsync(Event("s", "1"));
        var stream = log.Stream("s");

        Assert.Contains("512", Assert.Throws<RequestRefusedException>(() => log.Stream(new string('x', 513))).Message, StringComparison.Ordinal);
        Assert.Contains("reserved", Assert.Throws<RequestRefusedException>(() => log.Stream("$meta")).Message, StringComparison.Ordinal);
        Assert.Contains("control", Assert.Throws<RequestRefusedException>(() => log.Stream("a\nb")).Message, StringComparison.Ordinal);
        Assert.Contains("'other'", (await Assert.ThrowsAsync<RequestRefusedException>(() => stream.AppendAsync([Event("s", "x"), Event("other", "x")]))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => ExpectedRevision.Exactly(-1));
        Assert.Contains("-1", Assert.Throws<RequestRefusedException>(() => stream.ReadAsync(from: -1)).Message, StringComparison.Ordinal);
        Assert.Contains("twice", Assert.Throws<BatchRefusedException>(() => StreamExpectations.Of(
            new StreamExpectation("s", ExpectedRevision.Any), new StreamExpectation("s", ExpectedRevision.NoStream))).Message, StringComparison.Ordinal);
        Assert.Contains("1024", Assert.Throws<BatchRefusedException>(() => StreamExpectations.Of(
            [.. Enumerable.Range(0, 1025).Select(i => new StreamExpectation($"s-{i}", ExpectedRevision.Any))])).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<BatchRefusedException>(() => stream.AppendAsync([]));

        var chain = await cluster.Client.GetGrain<ISegmentDirectoryGrain>("orders").GetChain();
        var grain = cluster.Client.GetGrain<ISegmentGrain>(chain.WriteSegment!.Id, chain.WriteSegment.Primary);
        var batches = Block.Of(EventBatch.Of(Event("s", "x")));
        await Refused("1 batches", () => grain.Append(new AppendRequest { Batches = batches, Expected = [null, null] }).AsTask());
        await Refused("-5", () => grain.ReadStream(new StreamReadRequest { Stream = "s", From = -5 }).AsTask());
        await Refused("8 MiB", () => grain.ReadStream(new StreamReadRequest { Stream = "s", MaxBytes = 0 }).AsTask());
        await Refused("reserved", () => grain.ReadStream(new StreamReadRequest { Stream = "$s" }).AsTask());
        await Refused("10000", () => grain.ListStreams(new StreamListRequest { Prefix = "", MaxNames = 0 }).AsTask());
        Assert.Single(await Drain(log.ReadAsync()));

        static async Task Refused(string limit, Func<Task> call) =>
            Assert.Contains(limit, (await Assert.ThrowsAsync<RequestRefusedException>(call)).Message, StringComparison.Ordinal);
    }

    internal static Task<KawaCluster> Start(int silos) => KawaCluster.Start(silos, configureClient: static client => client.AddKawaClient(_ => { }));

    internal static ILog Log(KawaCluster cluster, string name) => cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>().Log(name);

    internal static async Task<List<T>> Drain<T>(IAsyncEnumerable<T> sequence)
    {
        var all = new List<T>();
        await foreach (var one in sequence)
        {
            all.Add(one);
        }

        return all;
    }

    private static EventData Event(string stream, string tag) => PlainLog.Event(stream, "happened", tag);

    private static void AssertAppended(long first, long last, long[] revisions, AppendResult result)
    {
        var appended = Assert.IsType<Appended>(result);
        Assert.Equal((first, last), (appended.First, appended.Last));
        Assert.Equal(revisions, appended.Revisions);
    }

    private static async Task AssertReads(ILog log, Dictionary<string, List<Guid>> written, params string[] streams)
    {
        foreach (var name in streams)
        {
            var (stream, ids) = (log.Stream(name), written.GetValueOrDefault(name) ?? []);
            var forward = await Drain(stream.ReadAsync());
            Assert.Equal(ids, forward.Select(e => e.Id));
            Assert.Equal(Enumerable.Range(0, ids.Count).Select(i => (long)i), forward.Select(e => e.Revision));
            Assert.Equal(ids.AsEnumerable().Reverse(), (await Drain(stream.ReadAsync(ReadDirection.Backward))).Select(e => e.Id));
            var middle = ids.Count / 2;
            Assert.Equal(ids.Skip(middle), (await Drain(stream.ReadAsync(from: middle))).Select(e => e.Id));
            Assert.Equal(ids.Take(middle + 1).Reverse(), (await Drain(stream.ReadAsync(ReadDirection.Backward, middle))).Select(e => e.Id));
            Assert.Equal(ids.Count == 0 ? null : ids[^1], (await stream.TryReadLastAsync())?.Id);
            var bounds = await stream.DescribeAsync();
            Assert.Equal(
                ids.Count == 0 ? null : new StreamDescription(ids.Count, 0, forward[0].Recorded, ids.Count - 1, forward[^1].Recorded, forward[^1].Position), bounds);
        }
    }

    /// <summary>Repeats what fails while a node is on its way back.</summary>
    internal static async Task Patiently(Func<Task> attempt)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                await attempt();
                return;
            }
            catch (KawaException) when (tries < 20)
            {
                await Task.Delay(100);
            }
        }
    }
}
