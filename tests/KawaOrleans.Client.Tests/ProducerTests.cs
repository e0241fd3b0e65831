namespace KawaOrleans.Client.Tests;

[Collection(OnVirtualTime.Name)]
public sealed class ProducerTests : IDisposable
{
    private readonly FakeStore _store = new();

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    public void Dispose() => _store.Dispose();

    /// <summary>Lost answers, lost, late and duplicated requests, rolls, moves and restarts of the writer, while several producers send on.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task What_is_acknowledged_is_in_the_log_once_and_in_each_producers_order_whatever_goes_wrong(int seed)
    {
        using var store = new FakeStore(seed, new KawaClientOptions { RetryFor = TimeSpan.FromSeconds(seed % 3 == 0 ? 3 : 30) });
        var random = new Random(seed);
        var mishaps = Enum.GetValues<Mishap>().Except([Mishap.Slow]).ToArray();
        await store.Fill(1);
        store.Cluster.Mishaps = _ =>
        {
            lock (random)
            {
                if (random.Next(15) == 0)
                {
                    store.Truth.Seal();
                }

                if (random.Next(20) == 0)
                {
                    store.Truth.Restart(remembered: 1 << 20);
                }

                return random.Next(6) == 0 ? mishaps[random.Next(mishaps.Length)] : Mishap.None;
            }
        };

        var acknowledged = new List<(long Position, string Tag)>[3];
        var refused = new List<string>();
        await Task.WhenAll(Enumerable.Range(0, 3).Select(p => Task.Run(async () =>
        {
            acknowledged[p] = [];
            var options = new ProducerOptions { MaxBlockBytes = 300 + (200 * p), MaxBlocksInFlight = 1 + p, MaxPendingBytes = 4000 };
            await using var producer = store.Log.CreateProducer(options);
            var outcomes = new List<(string Tag, int Count, Task<Appended> Outcome)>();
            for (var i = 0; i < 120; i++)
            {
                var tag = $"{p}-{i}";
                var batch = EventBatch.Encode([.. Enumerable.Range(0, 1 + (i % 3)).Select(e => FakeStore.Event($"{tag}/{e}"))]);
                outcomes.Add((tag, batch.Count, await producer.EnqueueAsync(batch)));
            }

            await producer.FlushAsync();
            foreach (var (tag, count, outcome) in outcomes)
            {
                Assert.True(outcome.IsCompleted, "flushed, but without outcome");
                try
                {
                    var appended = await outcome;
                    Assert.Equal(count, appended.Count);
                    acknowledged[p].AddRange(Enumerable.Range(0, count).Select(e => (appended.First + e, $"{tag}/{e}")));
                }
                catch (UnknownOutcomeException)
                {
                    // In the log once or not at all; the check below counts.
                }
                catch (KawaException)
                {
                    lock (refused)
                    {
                        refused.AddRange(Enumerable.Range(0, count).Select(e => $"{tag}/{e}"));
                    }
                }
            }
        })));

        var tags = store.Truth.Events.Select(FakeStore.TagOf).ToList();
        Assert.Equal(tags.Count, tags.Distinct().Count());
        Assert.Empty(tags.Intersect(refused));
        foreach (var producer in acknowledged)
        {
            Assert.All(producer, pair => Assert.Equal(pair.Tag, tags[(int)pair.Position]));
            Assert.Equal(producer.Select(pair => pair.Position).Order(), producer.Select(pair => pair.Position));
        }

        var all = acknowledged.Sum(producer => producer.Count);
        Assert.True(all > 100, $"only {all} of 720 events were acknowledged: too little went right to show anything");
    }

    [Fact]
    public async Task Batches_given_while_a_call_is_under_way_go_out_together_in_order_and_each_gets_its_own_positions()
    {
        await _store.Fill(1);
        _store.Truth.EventsPerSegment = 1000;
        _store.Truth.Seal();
        using var held = new SemaphoreSlim(0);
        _store.Cluster.Holds = (call, cancellation) => call == "Append" ? held.WaitAsync(cancellation) : Task.CompletedTask;
        await using var producer = _store.Log.CreateProducer(new ProducerOptions { MaxBlocksInFlight = 1 });

        var outcomes = Enumerable.Range(0, 100).Select(i => producer.AppendAsync(
            EventBatch.Encode([FakeStore.Event($"{i}"), FakeStore.Event($"{i}'")]))).ToList();
        held.Release(1000);
        var appended = await Task.WhenAll(outcomes);

        Assert.Equal(Enumerable.Range(0, 100).Select(i => (1L + (2 * i), 2)), appended.Select(one => (one.First, one.Count)));
        Assert.InRange(_store.Truth.Calls["Append"], 3, 4); // one to fill, the first alone, then all others in one block
    }

    [Fact]
    public async Task A_lingering_batch_waits_for_company_and_then_goes_alone()
    {
        await _store.Fill(1);
        await using var producer = _store.Log.CreateProducer(new ProducerOptions { Linger = TimeSpan.FromMilliseconds(300) });
        var before = _store.Time.GetTimestamp();

        var alone = await producer.AppendAsync(EventBatch.Of(FakeStore.Event("alone")));

        Assert.Equal(1, alone.First);
        Assert.True(_store.Time.GetElapsedTime(before) >= TimeSpan.FromMilliseconds(300));
    }

    [Fact]
    public async Task A_full_producer_takes_no_more_before_an_outcome_makes_room()
    {
        await _store.Fill(1);
        using var held = new SemaphoreSlim(0);
        _store.Cluster.Holds = (call, cancellation) => call == "Append" ? held.WaitAsync(cancellation) : Task.CompletedTask;
        var batch = EventBatch.Of(FakeStore.Event("x"));
        await using var producer = _store.Log.CreateProducer(new ProducerOptions { MaxPendingBytes = 2 * batch.Bytes.Length });

        var first = await producer.EnqueueAsync(batch);
        var second = await producer.EnqueueAsync(EventBatch.Of(FakeStore.Event("y")));
        var third = producer.EnqueueAsync(EventBatch.Of(FakeStore.Event("z"))).AsTask();
        using var cancelled = new CancellationTokenSource();
        var given = producer.EnqueueAsync(EventBatch.Of(FakeStore.Event("never")), cancelled.Token).AsTask();
        Assert.False(third.IsCompleted);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);

        held.Release(100);
        Assert.Equal((1, 2, 3), ((await first).First, (await second).First, (await await third).First));
        await producer.FlushAsync();
        Assert.Equal(["0", "x", "y", "z"], _store.Truth.Events.Select(FakeStore.TagOf));
    }

    /// <summary>A caller that is told on the thread of the answer flushes before the next block's callers are told.</summary>
    [Fact]
    public async Task Flushing_waits_for_outcomes_that_are_known_but_not_told_yet()
    {
        using var store = new FakeStore(1, new KawaClientOptions { RetryFor = TimeSpan.Zero });
        await store.Fill(1);
        await using var producer = store.Log.CreateProducer();
        await producer.AppendAsync(EventBatch.Of(FakeStore.Event("known")));
        using var held = new SemaphoreSlim(0);
        store.Cluster.Holds = (call, cancellation) => call == "Append" ? held.WaitAsync(cancellation) : Task.CompletedTask;
        store.Cluster.Mishaps = static _ => Mishap.NotWritable;

        var first = producer.AppendAsync(EventBatch.Of(FakeStore.Event("first")));
        var second = producer.AppendAsync(EventBatch.Of(FakeStore.Event("second")));
        var flushedTooEarly = first.ContinueWith(
            _ => producer.FlushAsync().IsCompleted && !second.IsCompleted,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        held.Release(2);

        Assert.False(await flushedTooEarly, "flushed while an outcome was not told");
        await Assert.ThrowsAsync<LogNotWritableException>(() => second);
    }

    [Fact]
    public async Task Disposing_sends_what_was_taken_and_then_takes_no_more()
    {
        await _store.Fill(1);
        var producer = _store.Log.CreateProducer(new ProducerOptions { Linger = TimeSpan.FromMinutes(1) });
        var outcome = producer.AppendAsync(EventBatch.Of(FakeStore.Event("last")));

        await producer.DisposeAsync();

        Assert.True(outcome.IsCompletedSuccessfully);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => producer.AppendAsync(EventBatch.Of(FakeStore.Event("late"))));
    }

    [Fact]
    public async Task A_batch_with_an_event_too_large_for_the_log_fails_alone_and_before_it_is_sent()
    {
        await _store.Fill(1);
        await using var producer = _store.Log.CreateProducer(new ProducerOptions { Linger = TimeSpan.FromSeconds(1) });

        var good = producer.AppendAsync(EventBatch.Of(FakeStore.Event("good")));
        var bad = producer.AppendAsync(EventBatch.Of(new EventData("s", "t", new byte[33 * 1024])));
        var after = producer.AppendAsync(EventBatch.Of(FakeStore.Event("after")));

        Assert.Equal((1, 2), ((await good).First, (await after).First));
        await Assert.ThrowsAsync<RequestRefusedException>(() => bad);
    }

    [Theory]
    [InlineData(-1, 1, 1, 1, "Linger")]
    [InlineData(0, 0, 1, 1, "MaxBlockBytes")]
    [InlineData(0, 1, 0, 1, "MaxBlocksInFlight")]
    [InlineData(0, 1, 1, 0, "MaxPendingBytes")]
    public void Options_that_no_producer_can_have_are_refused(int linger, int block, int blocks, long pending, string named)
    {
        var options = new ProducerOptions
        {
            Linger = TimeSpan.FromSeconds(linger), MaxBlockBytes = block, MaxBlocksInFlight = blocks, MaxPendingBytes = pending,
        };
        Assert.Contains(named, Assert.Throws<RequestRefusedException>(() => _store.Log.CreateProducer(options)).Message, StringComparison.Ordinal);
    }
}
