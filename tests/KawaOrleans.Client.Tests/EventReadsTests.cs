using System.Collections.Concurrent;

namespace KawaOrleans.Client.Tests;

/// <summary>Many callers that read one event each.</summary>
[Collection(OnVirtualTime.Name)]
public sealed class EventReadsTests : IDisposable
{
    private const int Events = 16;

    private readonly FakeStore _store = new();
    private readonly ConcurrentQueue<string> _calls = new();
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => _store.Dispose();

    /// <summary>A fake replica answers with five at most: the others ask alone.</summary>
    [Fact]
    public async Task Who_comes_while_two_calls_are_under_way_travels_with_the_others_and_gets_what_he_asked_for()
    {
        await _store.Fill(Events);
        var reads = Hold();
        _release.SetResult();

        Assert.Equal(Enumerable.Range(0, Events).Select(i => $"{i}"), (await Task.WhenAll(reads)).Select(e => FakeStore.TagOf(e!)));
        Assert.Equal("Read Read ReadEach", string.Join(' ', _calls.Take(3)));
        Assert.Equal(2 + Events - 2 - 5, _calls.Count(static call => call == "Read"));
    }

    [Fact]
    public async Task One_that_was_made_before_an_append_waited_sees_what_was_appended()
    {
        await _store.Fill(Events);
        var reads = Hold();
        await _store.Log.AppendAsync(FakeStore.Event("late"));
        var late = _store.Log.TryReadAsync(Events);
        var none = _store.Log.TryReadAsync(Events + 1);
        _release.SetResult();

        Assert.Equal("late", FakeStore.TagOf((await late)!));
        Assert.Null(await none);
        await Task.WhenAll(reads);
    }

    [Fact]
    public async Task A_damaged_event_fails_its_own_readers_alone()
    {
        await _store.Fill(Events);
        _store.Truth.Replica(_store.Truth.Segments.First().Id).Damage(3);
        var reads = Hold();
        _release.SetResult();

        foreach (var (read, position) in reads.Select((read, position) => (read, position)))
        {
            var error = await Record.ExceptionAsync(() => read);
            Assert.True(position == 3 ? error is CorruptBlockException : error is null, $"{position}: {error}");
        }
    }

    [Theory]
    [InlineData("refused")]
    [InlineData("faulted")]
    public async Task What_a_call_of_several_is_refused_for_is_nobodys_until_he_asked_alone(string how)
    {
        await _store.Fill(Events);
        var reads = Hold(() =>
            how == "refused" ? new RequestRefusedException("together") : new SegmentFaultedException(Guid.Empty, "node-1", "one of these"));
        _release.SetResult();

        Assert.Equal(Enumerable.Range(0, Events).Select(i => $"{i}"), (await Task.WhenAll(reads)).Select(e => FakeStore.TagOf(e!)));
    }

    [Fact]
    public async Task A_node_that_is_away_is_told_to_all_and_the_next_read_is_made()
    {
        await _store.Fill(Events);
        var reads = Hold();
        _store.Cluster.Mishaps = static _ => Mishap.NodeDown;
        _release.SetResult();

        foreach (var read in reads)
        {
            Assert.IsType<NodeUnavailableException>(await Record.ExceptionAsync(() => read));
        }

        _store.Cluster.Mishaps = static _ => Mishap.None;
        Assert.Equal("7", FakeStore.TagOf((await _store.Log.TryReadAsync(7))!));
    }

    [Fact]
    public async Task A_node_that_was_away_for_one_call_is_read_by_all_of_it()
    {
        await _store.Fill(Events);
        var reads = Hold();
        var calls = 0;
        _store.Cluster.Mishaps = call => call == "ReadEach" && Interlocked.Increment(ref calls) == 1 ? Mishap.ConnectionLostBefore : Mishap.None;
        _release.SetResult();

        Assert.All(await Task.WhenAll(reads), Assert.NotNull);
    }

    [Fact]
    public async Task Who_gives_up_holds_up_nobody()
    {
        using var enough = new CancellationTokenSource();
        await _store.Fill(Events);
        var reads = Hold();
        var given = _store.Log.TryReadAsync(5, enough.Token);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        _release.SetResult();

        Assert.All(await Task.WhenAll(reads), Assert.NotNull);
    }

    [Fact]
    public async Task Silence_is_told_within_the_patience_also_to_those_who_wait()
    {
        await _store.Fill(Events);
        var reads = Hold();
        _store.Cluster.Mishaps = static _ => Mishap.RequestLost;

        foreach (var read in reads)
        {
            Assert.IsType<NodeUnavailableException>(await Record.ExceptionAsync(() => read));
        }

        _store.Cluster.Mishaps = static _ => Mishap.None;
        _release.SetResult();
        Assert.Equal("7", FakeStore.TagOf((await _store.Log.TryReadAsync(7))!));
    }

    /// <summary>All events, of which the first two calls are held until the release. To be called upon the pool: what is held longer than a read's patience finds none left.</summary>
    private List<Task<RecordedEvent?>> Hold(Func<Exception>? together = null)
    {
        _store.Cluster.Holds = (call, _) =>
        {
            if (call.StartsWith("Read", StringComparison.Ordinal))
            {
                _calls.Enqueue(call); // else it asks for a sign of life
            }

            return call == "ReadEach" && together is not null ? Task.FromException(together()) : call == "Read" ? _release.Task : Task.CompletedTask;
        };
        return [.. Enumerable.Range(0, Events).Select(i => _store.Log.TryReadAsync(i))];
    }
}
