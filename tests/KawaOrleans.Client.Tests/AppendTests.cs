namespace KawaOrleans.Client.Tests;

[Collection(OnVirtualTime.Name)]
public sealed class AppendTests : IDisposable
{
    private readonly FakeStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task The_first_append_creates_the_log_and_later_ones_do_not_ask_the_directory()
    {
        await _store.Fill(10);

        Assert.Equal(10, _store.Truth.Events.Count);
        Assert.Equal(1, _store.Truth.Calls["OpenWriteSegment"]);
        Assert.False(_store.Truth.Calls.ContainsKey("GetChain"));
    }

    [Fact]
    public async Task An_append_goes_on_in_the_next_segment_when_one_is_full()
    {
        await _store.Fill(50);

        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"{i}"), _store.Truth.Events.Select(FakeStore.TagOf));
        Assert.Equal(3, _store.Truth.Segments.Count());
    }

    [Fact]
    public async Task Appends_that_find_a_segment_ended_at_the_same_time_cause_one_roll()
    {
        await _store.Fill(1);
        _store.Truth.Seal();

        await Task.WhenAll(Enumerable.Range(0, 15).Select(i => _store.Log.AppendAsync(FakeStore.Event($"{i}"))));

        Assert.Equal(2, _store.Truth.Segments.Count());
        Assert.Equal(16, _store.Truth.Events.Count);
    }

    [Theory]
    [InlineData(Mishap.AnswerLost, true)]
    [InlineData(Mishap.RequestLost, false)]
    [InlineData(Mishap.ConnectionLostAfter, true)]
    [InlineData(Mishap.ConnectionLostBefore, false)]
    [InlineData(Mishap.Duplicated, false)]
    [InlineData(Mishap.ExecutedLate, null)] // whichever of the two comes first
    internal async Task An_append_whose_answer_is_lost_is_repeated_and_is_in_the_log_once(Mishap mishap, bool? isRepeat)
    {
        await _store.Fill(1);
        var sent = 0;
        _store.Cluster.Mishaps = call => call switch
        {
            "Append" => Interlocked.Increment(ref sent) == 1 ? mishap : Mishap.None,
            "GetStats" => Mishap.RequestLost,
            _ => Mishap.None,
        };

        var appended = await _store.Log.AppendAsync(FakeStore.Event("once"));

        Assert.Equal((1, isRepeat ?? appended.IsRepeat), (appended.First, appended.IsRepeat));
        Assert.Equal(["0", "once"], _store.Truth.Events.Select(FakeStore.TagOf));
    }

    [Theory]
    [InlineData(Mishap.AnswerLost, 2)]
    [InlineData(Mishap.RequestLost, 1)]
    internal async Task An_append_that_never_gets_an_answer_has_an_unknown_outcome(Mishap mishap, int events)
    {
        await _store.Fill(1);
        _store.Cluster.Mishaps = call => call is "Append" ? mishap : Mishap.RequestLost;
        var before = _store.Time.GetTimestamp();

        var error = await Assert.ThrowsAsync<UnknownOutcomeException>(() => _store.Log.AppendAsync(FakeStore.Event("once")));

        Assert.False(error.IsRetryable);
        Assert.Equal("orders", error.Log);
        Assert.Equal(events, _store.Truth.Events.Count);
        Assert.InRange(_store.Time.GetElapsedTime(before).TotalSeconds, 1.7, 2);
    }

    [Fact]
    public async Task A_retry_that_the_writer_cannot_place_any_more_is_unknown_and_writes_nothing()
    {
        await _store.Fill(1);
        var sent = 0;
        _store.Cluster.Mishaps = call =>
        {
            if (call == "Append" && Interlocked.Increment(ref sent) == 1)
            {
                return Mishap.ConnectionLostAfter;
            }

            if (call == "Append")
            {
                _store.Truth.Restart(remembered: 0);
            }

            return Mishap.None;
        };

        var error = await Assert.ThrowsAsync<UnknownOutcomeException>(() => _store.Log.AppendAsync(FakeStore.Event("once")));

        Assert.Contains("position 2", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, _store.Truth.Events.Count);
    }

    [Fact]
    public async Task An_id_that_names_another_event_is_a_typed_error_for_its_own_batch_alone()
    {
        var id = Guid.NewGuid();
        await _store.Log.AppendAsync(FakeStore.Event("first") with { Id = id });
        await using var producer = _store.Log.CreateProducer(new ProducerOptions { Linger = TimeSpan.FromSeconds(1) });

        var before = producer.AppendAsync(EventBatch.Of(FakeStore.Event("before")));
        var conflict = producer.AppendAsync(EventBatch.Of(FakeStore.Event("other") with { Id = id }));
        var twice = producer.AppendAsync(EventBatch.Encode([FakeStore.Event("a") with { Id = default }, FakeStore.Event("b") with { Id = default }]));
        var after = producer.AppendAsync(EventBatch.Of(FakeStore.Event("after")));
        await producer.FlushAsync();

        Assert.Equal((1, 2), ((await before).First, (await after).First));
        var error = await Assert.ThrowsAsync<EventIdConflictException>(() => conflict);
        Assert.Equal((id, 0, IdConflictKind.OtherContent), (error.Conflict.EventId, error.Conflict.Position, error.Conflict.Kind));
        Assert.Equal(IdConflictKind.TwiceInBatch, (await Assert.ThrowsAsync<EventIdConflictException>(() => twice)).Conflict.Kind);
        Assert.Equal(["first", "before", "after"], _store.Truth.Events.Select(FakeStore.TagOf));
    }

    [Fact]
    public async Task A_slow_append_is_waited_for_as_long_as_its_node_gives_signs_of_life()
    {
        await _store.Fill(1);
        _store.Cluster.Mishaps = static call => call == "Append" ? Mishap.Slow : Mishap.None;
        var before = _store.Time.GetTimestamp();

        var appended = await _store.Log.AppendAsync(FakeStore.Event("late"));

        Assert.Equal(1, appended.First);
        Assert.InRange(_store.Time.GetElapsedTime(before).TotalSeconds, 4, 5);
    }

    [Fact]
    public async Task A_node_that_stays_down_is_a_typed_error_within_two_seconds_and_nothing_is_written()
    {
        await _store.Fill(1);
        _store.Cluster.Mishaps = static call => call switch
        {
            "Append" => Mishap.NodeDown,
            "OpenWriteSegment" => Mishap.NotWritable,
            _ => Mishap.None,
        };
        var before = _store.Time.GetTimestamp();

        var error = await Assert.ThrowsAnyAsync<KawaException>(() => _store.Log.AppendAsync(FakeStore.Event("never")));

        Assert.True(error.IsRetryable);
        Assert.Single(_store.Truth.Events);
        Assert.InRange(_store.Time.GetElapsedTime(before).TotalSeconds, 0.5, 2);
    }

    [Fact]
    public async Task A_node_that_comes_back_in_time_is_not_noticed()
    {
        await _store.Fill(1);
        var refusals = 3;
        _store.Cluster.Mishaps = call => call is "Append" or "OpenWriteSegment" && Interlocked.Decrement(ref refusals) >= 0 ? Mishap.NodeDown : Mishap.None;

        await _store.Log.AppendAsync(FakeStore.Event("later"));

        Assert.Equal(2, _store.Truth.Events.Count);
    }

    [Fact]
    public async Task A_silent_directory_is_a_typed_error_within_two_seconds()
    {
        await _store.Fill(0);
        _store.Cluster.Mishaps = static _ => Mishap.RequestLost;
        var before = _store.Time.GetTimestamp();

        await Assert.ThrowsAsync<DirectoryUnavailableException>(() => _store.Log.AppendAsync(FakeStore.Event("never")));

        Assert.InRange(_store.Time.GetElapsedTime(before).TotalSeconds, 0, 2);
    }

    [Fact]
    public async Task An_event_larger_than_the_log_takes_is_refused_before_it_is_sent()
    {
        await _store.Fill(1);

        var error = await Assert.ThrowsAsync<RequestRefusedException>(
            () => _store.Log.AppendAsync(new EventData("s", "t", new byte[33 * 1024])));

        Assert.Contains("32768", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, _store.Truth.Calls["Append"]);
    }

    [Fact]
    public async Task A_cancelled_append_ends_at_once()
    {
        await _store.Fill(1);
        using var cancelled = new CancellationTokenSource();
        _store.Cluster.Mishaps = call =>
        {
            if (call == "Append")
            {
                cancelled.Cancel();
            }

            return call == "Append" ? Mishap.RequestLost : Mishap.None;
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _store.Log.AppendAsync(FakeStore.Event("never"), cancelled.Token));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Orders")]
    [InlineData("-orders")]
    [InlineData("a/b")]
    public void A_name_that_no_log_can_have_is_refused_at_once(string name) =>
        Assert.Throws<RequestRefusedException>(() => _store.Client.Log(name));
}
