namespace KawaOrleans.Client.Tests;

/// <summary>The line that all callers of a log share.</summary>
[Collection(OnVirtualTime.Name)]
public sealed class SharedLineTests
{
    private const int Callers = 24;
    private const int Each = 12;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    /// <summary>Lost answers and requests, silence, rolls and new openings in any order, and calls that overtake each other. An earlier line
    /// sent the same blocks to and fro for as long as it was let.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Callers_who_wait_together_are_answered_truly_and_nothing_is_sent_without_end(int seed)
    {
        const int MostSends = Callers * Each / 4;
        var isPatient = seed % 3 != 0;
        using var store = new FakeStore(seed, new KawaClientOptions { RetryFor = TimeSpan.FromSeconds(isPatient ? 30 : 2) });
        await store.Fill(1);
        store.Truth.EventsPerSegment = 10 * Callers;
        store.Truth.Seal();
        var random = new Random(seed);
        var sends = 0;
        store.Cluster.Holds = (call, cancellation) => call == "Append"
            ? Task.Delay(TimeSpan.FromMilliseconds(1 + Next(random, 5)), store.Time, cancellation)
            : Task.CompletedTask;
        store.Cluster.Mishaps = call =>
        {
            if (call == "Append" && Interlocked.Increment(ref sends) > MostSends)
            {
                throw new InvalidOperationException("without end");
            }

            return Mishaps(store, random);
        };

        var acknowledged = new List<(long Position, string Tag)>[Callers];
        var refused = new List<string>[Callers];
        await FakeStore.OnThePool(() => Task.WhenAll(Enumerable.Range(0, Callers).Select(async caller =>
        {
            (acknowledged[caller], refused[caller]) = ([], []);
            for (var i = 0; i < Each; i++)
            {
                var tag = $"{caller}-{i}";
                try
                {
                    acknowledged[caller].Add(((await store.Log.AppendAsync(FakeStore.Event(tag))).First, tag));
                }
                catch (UnknownOutcomeException)
                {
                    // In the log once or not at all; the check below counts.
                }
                catch (KawaException)
                {
                    refused[caller].Add(tag);
                }
            }
        })));

        Assert.InRange(sends, 1, MostSends);
        var tags = store.Truth.Events.Select(FakeStore.TagOf).ToList();
        Assert.Equal(tags.Count, tags.Distinct().Count());
        Assert.Empty(tags.Intersect(refused.SelectMany(static tag => tag)));
        Assert.All(acknowledged, caller => Assert.All(caller, pair => Assert.Equal(pair.Tag, tags[(int)pair.Position])));
        Assert.All(acknowledged, caller => Assert.Equal(caller.Select(pair => pair.Position).Order(), caller.Select(pair => pair.Position)));
        var all = acknowledged.Sum(static caller => caller.Count);
        Assert.True(all > (isPatient ? Callers * Each / 2 : 0), $"only {all} of {Callers * Each} events were acknowledged: too little went right to show anything");
    }

    [Fact]
    public async Task Everybody_who_waits_travels_in_the_next_block()
    {
        using var store = new FakeStore();
        await store.Fill(1);
        store.Truth.EventsPerSegment = 1 << 20;
        store.Truth.Seal();
        store.Cluster.Holds = (call, cancellation) => call == "Append" ? Task.Delay(TimeSpan.FromMilliseconds(1), store.Time, cancellation) : Task.CompletedTask;

        // Once before it counts: a caller whose code is still being compiled comes too late for the block that the others are in.
        await Append();

        // Two blocks in turn carry everybody; the first ones are sent before the others have come. Whoever's thread the machine takes away comes too
        // late as well, so the best of some runs counts.
        var calls = new List<int>();
        while (calls.Count < 5)
        {
            var before = store.Truth.Calls["Append"];
            await Append();
            calls.Add(store.Truth.Calls["Append"] - before);
        }

        Assert.InRange(calls.Min(), Each, (2 * Each) + 4);

        async Task Append() => await FakeStore.OnThePool(() => Task.WhenAll(Enumerable.Range(0, Callers).Select(async _ =>
        {
            for (var i = 0; i < Each; i++)
            {
                await store.Log.AppendAsync(FakeStore.Event("x"));
            }
        })));
    }

    private static int Next(Random random, int end)
    {
        lock (random)
        {
            return random.Next(end);
        }
    }

    private static Mishap Mishaps(FakeStore store, Random random)
    {
        var kinds = Enum.GetValues<Mishap>();
        if (Next(random, 30) == 0)
        {
            store.Truth.Seal();
        }

        if (Next(random, 40) == 0)
        {
            store.Truth.Restart(remembered: 1 << 20);
        }

        return Next(random, 8) == 0 ? kinds[Next(random, kinds.Length)] : Mishap.None;
    }
}
