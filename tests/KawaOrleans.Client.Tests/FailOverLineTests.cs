namespace KawaOrleans.Client.Tests;

/// <summary>A log of three replicas whose primary falls silent with many appends on their way: others go on with it, and what has no outcome is
/// repeated there, in order.</summary>
[Collection(OnVirtualTime.Name)]
public sealed class FailOverLineTests : IDisposable
{
    private readonly FakeStore _store = new();

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData(Mishap.RequestLost)]
    [InlineData(Mishap.AnswerLost)]
    [InlineData(Mishap.ConnectionLostAfter)]
    [InlineData(Mishap.ExecutedLate)]
    internal async Task Appends_to_a_silent_primary_go_on_at_the_next_once_and_in_order(Mishap mishap)
    {
        await Begin();
        var end = _store.Truth.End;
        Silence(mishap);

        var appended = await Task.WhenAll(AtOnce(16));

        Assert.Equal(Enumerable.Range(0, 16).Select(i => end + i), appended.Select(static told => told.First));
        Assert.Equal(Enumerable.Range(0, 16).Select(i => $"{i}"), _store.Truth.Events.Skip((int)end).Select(FakeStore.TagOf));
    }

    [Fact]
    public async Task A_silent_primary_is_reported_after_a_third_of_the_silence_that_a_lone_node_is_borne()
    {
        await Begin();
        Silence(Mishap.RequestLost);
        var began = _store.Time.GetTimestamp();

        await Append("0");

        Assert.InRange(_store.Time.GetElapsedTime(began).TotalSeconds, 0.3, 1);
    }

    [Fact]
    public async Task While_no_other_can_go_on_an_append_waits_longer_than_for_a_lone_node_and_then_says_why()
    {
        await Begin();
        _store.Cluster.Mishaps = static call => call switch
        {
            "Append" or "GetStats" => Mishap.RequestLost,
            "OpenWriteSegment" => Mishap.NotWritable,
            _ => Mishap.None,
        };
        var began = _store.Time.GetTimestamp();

        var error = await Assert.ThrowsAsync<UnknownOutcomeException>(() => Append("0"));

        Assert.Contains("a mishap", error.Message, StringComparison.Ordinal);
        Assert.InRange(_store.Time.GetElapsedTime(began).TotalSeconds, 9, 12);
    }

    [Fact]
    public async Task A_primary_that_the_directory_finds_well_is_tried_again()
    {
        await Begin();
        _store.Truth.BelievesReports = false;
        var appends = 0;
        _store.Cluster.Mishaps = call => call == "GetStats" || (call == "Append" && Interlocked.Increment(ref appends) <= 3) ? Mishap.RequestLost : Mishap.None;
        var segments = _store.Truth.Segments.Count();

        await Append("once");

        Assert.Equal(segments, _store.Truth.Segments.Count());
        Assert.Single(_store.Truth.Events, static e => FakeStore.TagOf(e) == "once");
    }

    /// <summary>Primary and directory were on one silo, and the cluster does not know yet.</summary>
    [Fact]
    public async Task A_silent_directory_is_passed_over_for_the_one_nearby()
    {
        _store.Cluster.NearbyIsApart = true;
        await Begin();
        Silence(Mishap.RequestLost, "OpenWriteSegment", "GetChain");
        var end = _store.Truth.End;
        var began = _store.Time.GetTimestamp();

        var appended = await Task.WhenAll(AtOnce(16));

        Assert.Equal(Enumerable.Range(0, 16).Select(i => end + i), appended.Select(static told => told.First));
        Assert.InRange(_store.Time.GetElapsedTime(began).TotalSeconds, 0.7, 1.8);

        // And not asked again so soon.
        _store.Truth.Seal();
        var sealedAt = _store.Time.GetTimestamp();
        await Append("next");
        Assert.InRange(_store.Time.GetElapsedTime(sealedAt).TotalSeconds, 0, 0.1);
    }

    /// <summary>The silo that the client is connected to stands still as well.</summary>
    [Fact]
    public async Task A_directory_nearby_that_is_silent_too_is_passed_over_for_another_one()
    {
        _store.Cluster.NearbyIsApart = true;
        await Begin();
        Silence(Mishap.RequestLost, "OpenWriteSegment", "GetChain", "Nearby0OpenWriteSegment", "Nearby0GetChain");
        var end = _store.Truth.End;

        var appended = await Task.WhenAll(AtOnce(16));

        Assert.Equal(Enumerable.Range(0, 16).Select(i => end + i), appended.Select(static told => told.First));
        Assert.Equal(1, _store.Truth.Calls.GetValueOrDefault("Nearby1OpenWriteSegment"));
    }

    /// <summary>The line knows its writer, so that two blocks are on their way at once.</summary>
    private System.Runtime.CompilerServices.ConfiguredTaskAwaitable Begin() => FakeStore.OnThePool(async () =>
    {
        _store.Truth.Replicas = 3;
        _store.Truth.EventsPerSegment = 1000;
        await _store.Fill(1);
    });

    /// <summary>The segment written now is silent until another one is opened, and so are the calls named.</summary>
    private void Silence(Mishap mishap, params string[] calls)
    {
        var silent = _store.Truth.Segments.Count();
        _store.Cluster.Mishaps = call => call is "Append" or "GetStats"
            ? _store.Truth.Segments.Count() > silent ? Mishap.None : call == "GetStats" ? Mishap.RequestLost : mishap
            : calls.Contains(call) ? Mishap.RequestLost : Mishap.None;
    }

    private Task<Appended> Append(string tag) => _store.Log.AppendAsync(FakeStore.Event(tag));

    private List<Task<Appended>> AtOnce(int appends) => [.. Enumerable.Range(0, appends).Select(i => Append($"{i}"))];
}
