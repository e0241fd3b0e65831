namespace KawaOrleans.Client.Tests;

/// <summary>A directory that says that it cannot: its silo may be cut off from the others, which can. So another one is asked before that is taken for
/// the log's answer; but not for every call of a log that nobody can write.</summary>
[Collection(OnVirtualTime.Name)]
public sealed class DirectoryTests : IDisposable
{
    private readonly FakeStore _store = new();
    private readonly List<string> _asked = [];

    public DirectoryTests() => _store.Cluster.NearbyIsApart = true;

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData(Mishap.NotWritable)]
    [InlineData(Mishap.StoreAway)]
    internal async Task What_one_silo_cannot_is_asked_of_another_at_once(Mishap mishap)
    {
        await Begin();
        Happens(mishap, "OpenWriteSegment");
        _store.Truth.Seal();
        var began = _store.Time.GetTimestamp();

        await Append("0");

        Assert.InRange(_store.Time.GetElapsedTime(began).TotalSeconds, 0, 0.1);
        Assert.Equal(["OpenWriteSegment", "Nearby0OpenWriteSegment"], _asked);
    }

    [Fact]
    public async Task The_one_that_could_is_asked_first_for_a_while()
    {
        await Begin();
        Happens(Mishap.NotWritable, "OpenWriteSegment");
        _store.Truth.Seal();
        await Append("0");
        _asked.Clear();
        for (var i = 0; i < 3; i++)
        {
            _store.Truth.Seal();
            await Append("next");
        }

        Assert.Equal(Enumerable.Repeat("Nearby0OpenWriteSegment", 3), _asked);
    }

    /// <summary>The client's first gateways are the silo that is cut off as well.</summary>
    [Fact]
    public async Task Another_one_is_asked_until_one_can()
    {
        await Begin();
        Happens(Mishap.NotWritable, "OpenWriteSegment", "Nearby0OpenWriteSegment", "Nearby1OpenWriteSegment");
        _store.Truth.Seal();
        var began = _store.Time.GetTimestamp();

        await Append("0");

        Assert.Equal("Nearby2OpenWriteSegment", _asked[^1]);
        Assert.InRange(_store.Time.GetElapsedTime(began).TotalSeconds, 0.9, 2.5);
    }

    /// <summary>The directory died, and the silo that the client turns to is cut off.</summary>
    [Fact]
    public async Task One_that_is_asked_in_the_place_of_a_silent_one_is_not_taken_at_its_word_either()
    {
        await Begin();
        _store.Cluster.Mishaps = call => Note(call) switch
        {
            "OpenWriteSegment" or "GetChain" => Mishap.RequestLost,
            "Nearby0OpenWriteSegment" => Mishap.NotWritable,
            _ => Mishap.None,
        };
        _store.Truth.Seal();
        var began = _store.Time.GetTimestamp();

        await Append("0");

        Assert.InRange(_store.Time.GetElapsedTime(began).TotalSeconds, 0.3, 1);
        Assert.Equal(["OpenWriteSegment", "Nearby0OpenWriteSegment", "Nearby1OpenWriteSegment"], _asked);
    }

    [Fact]
    public async Task The_first_ones_reason_is_told_while_the_other_is_silent()
    {
        await Begin();
        _store.Cluster.Mishaps = static call => call == "OpenWriteSegment" ? Mishap.NotWritable : call.StartsWith("Nearby", StringComparison.Ordinal) ? Mishap.RequestLost : Mishap.None;
        _store.Truth.Seal();

        var error = await Assert.ThrowsAsync<LogNotWritableException>(() => Append("0"));

        Assert.Contains("a mishap", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Two of three nodes are dead: whoever is asked fences and probes, and says the same.</summary>
    [Fact]
    public async Task While_nobody_can_others_are_asked_twice_a_second_in_turn_whoever_calls()
    {
        await Begin();
        _store.Cluster.Mishaps = call => Note(call).EndsWith("OpenWriteSegment", StringComparison.Ordinal) ? Mishap.NotWritable : Mishap.None;
        _store.Truth.Seal();
        var began = _store.Time.GetTimestamp();
        var lines = Enumerable.Range(0, 8).Select(_ => _store.Log.CreateProducer()).ToList();

        var refused = await Task.WhenAll(lines.Select(async line =>
            await Assert.ThrowsAsync<LogNotWritableException>(() => line.AppendAsync(EventBatch.Of(FakeStore.Event("0"))))));

        var seconds = _store.Time.GetElapsedTime(began).TotalSeconds;
        Assert.All(refused, static error => Assert.Contains("a mishap", error.Message, StringComparison.Ordinal));
        var others = _asked.FindAll(static call => call.StartsWith("Nearby", StringComparison.Ordinal));
        Assert.InRange(others.Count, 2, (2 * seconds) + 1);
        Assert.InRange(others.Count, 1, _asked.Count / 2);
        Assert.Equal(Enumerable.Range(0, others.Count).Select(static turn => $"Nearby{turn % 8}OpenWriteSegment"), others);
    }

    /// <summary>A log with a writer that is known.</summary>
    private System.Runtime.CompilerServices.ConfiguredTaskAwaitable Begin() => FakeStore.OnThePool(async () =>
    {
        _store.Truth.Replicas = 3;
        _store.Truth.EventsPerSegment = 1000;
        await _store.Fill(1);
    });

    private void Happens(Mishap mishap, params string[] calls) => _store.Cluster.Mishaps = call => calls.Contains(Note(call)) ? mishap : Mishap.None;

    private string Note(string call)
    {
        if (call.EndsWith("OpenWriteSegment", StringComparison.Ordinal))
        {
            lock (_asked)
            {
                _asked.Add(call);
            }
        }

        return call;
    }

    private Task<Appended> Append(string tag) => _store.Log.AppendAsync(FakeStore.Event(tag));
}
