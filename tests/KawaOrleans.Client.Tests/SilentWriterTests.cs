using System.Runtime.CompilerServices;

namespace KawaOrleans.Client.Tests;

/// <summary>A log whose node died, with many appends on their way and behind: the two seconds hold for each of them.</summary>
[Collection(OnVirtualTime.Name)]
public sealed class SilentWriterTests : IDisposable
{
    private readonly FakeStore _store = new();

    public void Dispose() => _store.Dispose();

    /// <summary>One at a time had its own silence to wait through, those that waited for it another one.</summary>
    [Theory]
    [InlineData(Mishap.RequestLost)]
    [InlineData(Mishap.AnswerLost)]
    [InlineData(Mishap.ConnectionLostBefore)]
    [InlineData(Mishap.NodeDown)]
    internal async Task Every_append_to_a_node_that_died_ends_within_two_seconds_those_not_yet_sent_included(Mishap first)
    {
        await Begin();
        var calls = 0;
        Silence(call => call == "Append" && Interlocked.Increment(ref calls) <= 2 ? first : Mishap.RequestLost);

        var ends = await EndsOf(16);

        Assert.All(ends, end => Assert.InRange(end.After.TotalSeconds, 1, 2));
        Assert.All(ends, end => Assert.True(end.Error is UnknownOutcomeException or DirectoryUnavailableException or LogNotWritableException, $"{end.Error}"));
    }

    [Fact]
    public async Task An_append_that_was_not_sent_is_not_called_unknown()
    {
        await Begin();
        Silence(static _ => Mishap.RequestLost);

        var ends = await EndsOf(16);

        Assert.Equal(2, ends.Count(static end => end.Error is UnknownOutcomeException));
        Assert.Equal(14, ends.Count(static end => end.Error is LogNotWritableException { IsRetryable: true }));
        Assert.DoesNotContain("1", _store.Truth.Events.Select(FakeStore.TagOf));
    }

    /// <summary>The segment went down with the directory, which another silo then answers for.</summary>
    [Fact]
    public async Task An_append_whose_directory_and_node_died_together_ends_within_two_seconds()
    {
        await Begin();
        var died = _store.Time.GetTimestamp();
        _store.Cluster.Holds = async (call, cancellation) =>
        {
            if (call == "OpenWriteSegment" && TimeSpan.FromSeconds(1.1) - _store.Time.GetElapsedTime(died) is var left && left > TimeSpan.Zero)
            {
                await Task.Delay(left, _store.Time, cancellation);
            }
        };
        var appends = 0;
        _store.Cluster.Mishaps = call => call switch
        {
            "Append" => Interlocked.Increment(ref appends) == 1 ? Mishap.NodeDown : Mishap.RequestLost,
            "GetStats" => Mishap.RequestLost,
            _ => Mishap.None,
        };

        var ends = await EndsOf(6);

        Assert.All(ends, end => Assert.InRange(end.After.TotalSeconds, 1.1, 2));
    }

    [Fact]
    public async Task An_append_is_not_held_up_by_those_sent_after_it()
    {
        await Begin();
        Silence(static _ => Mishap.RequestLost);
        var first = EndOf(Append("first"));
        await Task.Delay(TimeSpan.FromSeconds(1.5), _store.Time);
        var second = await EndOf(Append("second"));

        Assert.InRange((await first).After.TotalSeconds, 1, 2);
        Assert.InRange(second.After.TotalSeconds, 0, 2);
    }

    [Fact]
    public async Task An_append_given_after_its_log_fell_silent_has_time_of_its_own()
    {
        await Begin();
        Silence(static _ => Mishap.RequestLost);
        await EndOf(Append("first"));

        var later = await EndOf(Append("later"));

        Assert.InRange(later.After.TotalSeconds, 1, 2);
    }

    [Fact]
    public async Task A_log_that_answers_again_takes_what_waited_behind_a_lost_answer_in_order()
    {
        await Begin();
        var (appends, end) = (0, _store.Truth.End);
        Silence(call => call == "Append" && Interlocked.Increment(ref appends) > 2 ? Mishap.None : Mishap.RequestLost);

        var positions = await Task.WhenAll(AtOnce(16));

        Assert.Equal(Enumerable.Range(0, 16).Select(i => end + i), positions.Select(static appended => appended.First));
    }

    /// <summary>Its request lay somewhere, in a gateway or at a silo that came back, while its caller was told that the outcome is unknown.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_batch_that_was_given_up_does_not_come_behind_a_later_one(bool restarts)
    {
        await Begin();
        using var held = new SemaphoreSlim(0);
        _store.Cluster.Holds = (call, _) => call == "Append" ? held.WaitAsync(CancellationToken.None) : Task.CompletedTask;
        Silence(static call => call == "Append" ? Mishap.None : Mishap.RequestLost);
        Assert.IsType<UnknownOutcomeException>((await EndOf(Append("given up"))).Error);
        var before = _store.Truth.Calls["Append"];
        _store.Cluster.Holds = static (_, _) => Task.CompletedTask;
        _store.Cluster.Mishaps = static _ => Mishap.None;
        if (restarts)
        {
            _store.Truth.Restart(remembered: 100);
        }

        await Append("later");
        held.Release(100);
        await Task.Delay(TimeSpan.FromSeconds(1), _store.Time);

        Assert.True(_store.Truth.Calls["Append"] > before + 1, "what was held did not arrive");
        Assert.Equal("later", FakeStore.TagOf(_store.Truth.Events[^1]));
        Assert.DoesNotContain("given up", _store.Truth.Events.Select(FakeStore.TagOf));
    }

    [Fact]
    public async Task A_flush_waits_for_what_is_given_up_and_whoever_waits_for_room_is_told()
    {
        await Begin();
        Silence(static _ => Mishap.RequestLost);
        var batch = EventBatch.Of(FakeStore.Event("x"));
        await using var producer = _store.Log.CreateProducer(new ProducerOptions { MaxPendingBytes = batch.Bytes.Length });
        var inside = await producer.EnqueueAsync(batch);
        var outside = producer.EnqueueAsync(EventBatch.Of(FakeStore.Event("y"))).AsTask();

        await producer.FlushAsync();

        Assert.True(inside.IsFaulted);
        await Assert.ThrowsAnyAsync<KawaException>(async () => await await outside);
    }

    /// <summary>The line knows its writer, so that two blocks are on their way at once.</summary>
    private ConfiguredTaskAwaitable Begin() => FakeStore.OnThePool(async () =>
    {
        await _store.Fill(1);
        _store.Truth.EventsPerSegment = 1000;
        _store.Truth.Seal();

        // Answered on this thread, which therefore hands over what is given next.
        for (var begun = Append("begun"); !begun.IsCompleted; begun = Append("begun"))
        {
            await begun.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
    });

    private void Silence(Func<string, Mishap> appends) =>
        _store.Cluster.Mishaps = call => call is "Append" or "GetStats" ? appends(call) : Mishap.RequestLost;

    private Task<Appended> Append(string tag) => _store.Log.AppendAsync(FakeStore.Event(tag));

    private async Task<List<(Exception Error, TimeSpan After)>> EndsOf(int appends) =>
        [.. await Task.WhenAll(Enumerable.Range(0, appends).Select(i => EndOf(Append($"{i}"))))];

    private List<Task<Appended>> AtOnce(int appends) => [.. Enumerable.Range(0, appends).Select(i => Append($"{i}"))];

    private async Task<(Exception Error, TimeSpan After)> EndOf(Task<Appended> append)
    {
        var began = _store.Time.GetTimestamp();
        var error = await Assert.ThrowsAnyAsync<KawaException>(() => append);
        return (error, _store.Time.GetElapsedTime(began));
    }
}
