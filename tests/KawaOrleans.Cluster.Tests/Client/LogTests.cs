using System.Text;
using MemoryPack;
using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Client;

/// <summary>What the client promises, on real silos.</summary>
public sealed partial class LogTests : IAsyncLifetime
{
    private static readonly LogOptions Small = new() { SegmentBytes = 64 * 1024 };

    private KawaCluster _cluster = null!;
    private IEventStoreClient _store = null!;

    public async Task InitializeAsync()
    {
        _cluster = await KawaCluster.Start(3);
        _store = Connect();
    }

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task What_was_appended_is_read_queried_counted_and_described()
    {
        var log = await _store.CreateLogAsync("orders", Small);
        var written = Enumerable.Range(0, 3000).Select(Event).ToList();
        foreach (var batch in written.Chunk(100))
        {
            var appended = await log.AppendAsync(batch);
            Assert.Equal(written.IndexOf(batch[0]), appended.First);
            Assert.Equal(100, appended.Count);
        }

        await log.FlushAsync();
        AssertSame(written, 0, await Collect(log.ReadAsync()));
        AssertSame(written[2990..], 2990, await Collect(log.ReadAsync(2990)));
        AssertSame(written, 0, await Collect(log.QueryAsync(new RangeQuery())));
        AssertSame(written[500..700], 500, await Collect(log.QueryAsync(new RangeQuery { From = 500, To = 1500, Limit = 200 })));
        AssertSame([written[1234]], 1234, [(await log.TryReadAsync(1234))!]);
        Assert.Null(await log.TryReadAsync(3000));

        var filter = new EventFilter
        {
            Types = ["placed"], StreamPrefix = "order-1", Time = new TimeBounds(EventTime.Occurred, Occurred(100), Occurred(2000)),
        };
        var matching = written.Index().Where(pair =>
            pair.Item.Type == "placed" && pair.Item.Stream.StartsWith("order-1", StringComparison.Ordinal) && pair.Item.Occurred >= Occurred(100) && pair.Item.Occurred < Occurred(2000));
        Assert.Equal(
            matching.Select(pair => (long)pair.Index).Take(50),
            (await Collect(log.QueryAsync(new RangeQuery { Filter = filter, Limit = 50 }))).Select(e => e.Position));

        var byType = await log.AggregateAsync(new AggregationQuery { Name = "by-type" });
        Assert.Equal(3000, byType.Events);
        Assert.Equal(1000, byType.Values["placed"]);
        var description = await log.DescribeAsync();
        Assert.Equal(3000, description.Events);
        Assert.True(description.Segments.Count > 5, $"{description.Segments.Count} segments");
        Assert.Equal(["orders"], (await _store.ListLogsAsync()).Select(summary => summary.Name));
    }

    [Fact]
    public async Task Appends_from_many_places_lose_nothing_repeat_nothing_and_leave_no_hole()
    {
        await _store.CreateLogAsync("busy", Small);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async writer =>
        {
            var log = Connect().Log("busy");
            for (var i = 0; i < 150; i++)
            {
                await log.AppendAsync(Event(writer * 1000 + i));
            }
        }));

        var events = await Collect(_store.Log("busy").QueryAsync(new RangeQuery()));

        Assert.Equal(Enumerable.Range(0, 1200).Select(i => (long)i), events.Select(e => e.Position));
        Assert.Equal(1200, events.Select(e => e.Id).Distinct().Count());
    }

    [Fact]
    public async Task A_follower_sees_each_event_soon_after_it_was_appended_across_rolls()
    {
        var log = await _store.CreateLogAsync("followed", Small);
        using var enough = new CancellationTokenSource();
        var seen = new List<long>();
        var following = Task.Run(async () =>
        {
            await foreach (var e in Connect().Log("followed").ReadAsync(follow: true, cancellation: enough.Token))
            {
                seen.Add(e.Position);
                if (seen.Count == 1000)
                {
                    await enough.CancelAsync();
                }
            }
        });
        for (var i = 0; i < 100; i++)
        {
            await log.AppendAsync([.. Enumerable.Range(i * 10, 10).Select(Event)]);
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (long)i), seen);
    }

    [Fact]
    public async Task A_typed_event_comes_back_as_it_was_under_the_name_given()
    {
        var log = _store.Log("typed");
        var paid = new Paid(12.5m, "EUR", [1, 2, 3]);
        await log.AppendAsync("order-1", "OrderPaid", paid);
        await log.AppendAsync(TypedEvent.Encode("order-1", "OrderPaid", paid) with { Metadata = "who"u8.ToArray() });

        var events = await Collect(log.ReadAsync());

        Assert.All(events, e => Assert.Equal("OrderPaid", e.Type));
        Assert.All(events, e => Assert.Equivalent(paid, e.Decode<Paid>()));
        Assert.Equal("who", Encoding.UTF8.GetString(events[1].Metadata.Span));
    }

    [Fact]
    public async Task Bad_input_is_refused_with_the_limit_in_the_message_and_the_log_goes_on()
    {
        var log = await _store.CreateLogAsync("strict", Small);
        await log.AppendAsync(Event(0));

        await Assert.ThrowsAsync<BatchRefusedException>(() => log.AppendAsync(Array.Empty<EventData>()));
        await Assert.ThrowsAsync<BatchRefusedException>(() => log.AppendAsync(new EventData("$reserved", "t", default)));
        Assert.Contains("32768", (await Assert.ThrowsAsync<RequestRefusedException>(() => log.AppendAsync(new EventData("s", "t", new byte[40_000])))).Message, StringComparison.Ordinal);
        Assert.Contains("8388608", (await Assert.ThrowsAsync<BatchRefusedException>(() => log.AppendAsync(new EventData("s", "t", new byte[9_000_000])))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RequestRefusedException>(() => _store.CreateLogAsync("strict", new LogOptions { SegmentBytes = 1024 * 1024 }));
        await Assert.ThrowsAsync<RequestRefusedException>(() => _store.CreateLogAsync("tiny", new LogOptions { SegmentBytes = 1 }));
        await Assert.ThrowsAsync<RequestRefusedException>(() => log.AggregateAsync(new AggregationQuery { Name = "no-such" }));
        await Assert.ThrowsAsync<UnknownLogException>(() => _store.Log("nowhere").DescribeAsync());
        await Assert.ThrowsAsync<UnknownLogException>(() => _store.DeleteLogAsync("nowhere"));

        Assert.Equal(1, (await log.AppendAsync(Event(1))).First);
    }

    [Fact]
    public async Task A_deleted_log_is_gone_and_its_name_may_be_used_anew()
    {
        var log = await _store.CreateLogAsync("again", Small);
        await log.AppendAsync([Event(0), Event(1)]);
        var elsewhere = Connect().Log("again");
        var third = Connect().Log("again");
        await Collect(elsewhere.ReadAsync());
        await third.AppendAsync(Event(7));

        await _store.DeleteLogAsync("again");
        await Assert.ThrowsAsync<UnknownLogException>(() => Collect(log.ReadAsync()));
        await Assert.ThrowsAsync<UnknownLogException>(() => Collect(elsewhere.ReadAsync()));
        await Assert.ThrowsAsync<UnknownLogException>(() => elsewhere.TryReadAsync(0));
        Assert.Empty(await _store.ListLogsAsync());

        Assert.Equal(0, (await third.AppendAsync(Event(2))).First);
        Assert.Equal(Event(2).Id, Assert.Single(await Collect(elsewhere.QueryAsync(new RangeQuery()))).Id);
    }

    [Fact]
    public async Task A_dead_node_is_a_typed_error_while_it_is_away_and_after_its_return_all_goes_on()
    {
        var log = await Connect(static _ => { }).CreateLogAsync("mortal", Small);
        await log.AppendAsync(Event(0));
        var node = (await log.DescribeAsync()).Chain.WriteSegment!.Primary;
        var silo = int.Parse(node["node-".Length..], System.Globalization.CultureInfo.InvariantCulture);
        await _cluster.Kill(silo);

        // That each comes within two seconds is held by the tests of Adversity, on time they advance.
        await Assert.ThrowsAnyAsync<KawaException>(() => log.TryReadAsync(0));
        await Assert.ThrowsAnyAsync<KawaException>(() => log.AppendAsync(Event(1)));
        await Assert.ThrowsAnyAsync<KawaException>(() => Collect(log.QueryAsync(new RangeQuery { To = 1 })));

        await _cluster.Restart(silo);
        log = _store.Log("mortal");
        var before = (await Collect(log.ReadAsync())).Count;
        var appended = await log.AppendAsync(Event(2));
        Assert.Equal(before, appended.First);
        Assert.Equal(before + 1, (await Collect(log.ReadAsync())).Count);
    }

    [Fact]
    public async Task A_cancelled_read_or_append_ends_at_once()
    {
        var log = await _store.CreateLogAsync("cancelled", Small);
        await log.AppendAsync(Event(0));
        using var cancelled = new CancellationTokenSource();
        var following = Collect(log.ReadAsync(follow: true, cancellation: cancelled.Token));
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => log.AppendAsync(Event(1), cancelled.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Collect(log.QueryAsync(new RangeQuery(), cancelled.Token)));
    }

    [Fact]
    public async Task A_silo_has_a_client_too()
    {
        await using var cluster = await KawaCluster.Start(1, configure: static silo => silo.Services.AddKawaClient());
        var log = cluster.Service<IEventStoreClient>(0).Log("inside");
        await log.AppendAsync(Event(0));
        Assert.Single(await Collect(log.ReadAsync()));
    }

    [Theory]
    [InlineData(nameof(KawaClientOptions.NodeSilence))]
    [InlineData(nameof(KawaClientOptions.RetryFor))]
    [InlineData(nameof(KawaClientOptions.BlocksAhead))]
    [InlineData(nameof(KawaClientOptions.ReadBlockBytes))]
    public void Options_that_cannot_work_are_refused_by_name(string property)
    {
        var options = new KawaClientOptions();
        typeof(KawaClientOptions).GetProperty(property)!.SetValue(options, property is nameof(options.BlocksAhead) or nameof(options.ReadBlockBytes) ? -1 : TimeSpan.FromDays(-1));
        Assert.Contains(property, new KawaOrleans.Client.KawaClientOptionsValidator().Validate(null, options).FailureMessage, StringComparison.Ordinal);
    }

    private static EventData Event(int i) =>
        new($"order-{i % 20}", (i % 3) switch { 0 => "placed", 1 => "paid", _ => "sent" }, Encoding.UTF8.GetBytes($"{{\"number\":{i}}}"))
        {
            Id = new Guid(i, 0, 0, new byte[8]),
            Metadata = i % 7 == 0 ? "meta"u8.ToArray() : default(ReadOnlyMemory<byte>),
            Occurred = i % 11 == 10 ? null : Occurred(i),
        };

    private static DateTimeOffset Occurred(int i) => DateTimeOffset.UnixEpoch.AddMinutes(i);

    private static async Task<List<RecordedEvent>> Collect(IAsyncEnumerable<RecordedEvent> sequence)
    {
        var events = new List<RecordedEvent>();
        await foreach (var e in sequence)
        {
            events.Add(e);
        }

        return events;
    }

    private static void AssertSame(List<EventData> written, long first, List<RecordedEvent> read)
    {
        Assert.Equal(written.Count, read.Count);
        for (var i = 0; i < read.Count; i++)
        {
            Assert.Equal(first + i, read[i].Position);
            Assert.Equal((written[i].Id, written[i].Stream, written[i].Type, written[i].Occurred), (read[i].Id, read[i].Stream, read[i].Type, read[i].Occurred));
            Assert.True(written[i].Data.Span.SequenceEqual(read[i].Data.Span) && written[i].Metadata.Span.SequenceEqual(read[i].Metadata.Span));
        }
    }

    /// <summary>A client of its own, which knows nothing of what others have seen. Patient unless said otherwise: three silos and their
    /// clients share this process with other tests.</summary>
    private IEventStoreClient Connect(Action<KawaClientOptions>? configure = null) => new ServiceCollection()
        .AddSingleton<IGrainFactory>(_cluster.Client)
        .AddKawaClient(configure ?? (static options => options.NodeSilence = TimeSpan.FromSeconds(15)))
        .BuildServiceProvider().GetRequiredService<IEventStoreClient>();

    [MemoryPackable]
    internal sealed partial record Paid(decimal Amount, string Currency, int[] Items);
}
