namespace KawaOrleans.Client.Tests;

/// <summary>Everything that can go wrong between client and grains, in random order. What the client says must stay true.</summary>
[Collection(OnVirtualTime.Name)]
public sealed class AdversityTests
{
    private static readonly Mishap[] Mishaps = Enum.GetValues<Mishap>();

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 25)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task What_an_append_or_a_read_said_is_true_whatever_goes_wrong(int seed)
    {
        using var store = new FakeStore(seed);
        var random = new Random(seed);
        var acknowledged = new List<(long Position, string Tag)>();
        var refused = new List<string>();
        store.Cluster.Mishaps = _ =>
        {
            lock (random)
            {
                return random.Next(8) == 0 ? Mishaps[random.Next(Mishaps.Length)] : Mishap.None;
            }
        };

        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 40; i++)
            {
                var tag = $"{writer}-{i}";
                Disturb(store, random);
                try
                {
                    var appended = await store.Log.AppendAsync([FakeStore.Event(tag), FakeStore.Event(tag + "'")]);
                    lock (acknowledged)
                    {
                        acknowledged.AddRange([(appended.First, tag), (appended.Last, tag + "'")]);
                    }
                }
                catch (UnknownOutcomeException)
                {
                    // In the log once or not at all; the check below counts.
                }
                catch (KawaException)
                {
                    lock (refused)
                    {
                        refused.AddRange([tag, tag + "'"]);
                    }
                }

                await CheckReads(store);
            }
        })));

        store.Cluster.Mishaps = static _ => Mishap.None;
        var events = await ReadWholeAsync(store);
        var tags = events.Select(FakeStore.TagOf).ToList();
        Assert.Equal(Enumerable.Range(0, events.Count).Select(i => (long)i), events.Select(e => e.Position));
        Assert.Equal(tags.Count, tags.Distinct().Count());
        Assert.All(acknowledged, pair => Assert.Equal(pair.Tag, tags[(int)pair.Position]));
        Assert.Empty(tags.Intersect(refused));
        Assert.True(acknowledged.Count > 100, $"only {acknowledged.Count} of 320 events were acknowledged: too little went right to show anything");
    }

    /// <summary>The virtual clock goes on while the machine is busy with other things, so that a read may find its time is up with nothing wrong.</summary>
    private static async Task<List<RecordedEvent>> ReadWholeAsync(FakeStore store)
    {
        while (true)
        {
            if (await FakeStore.Drain(store.Log.ReadAsync()) is (var events, null))
            {
                return events;
            }
        }
    }

    private static async Task CheckReads(FakeStore store)
    {
        foreach (var sequence in new[] { store.Log.ReadAsync(), store.Log.QueryAsync(new RangeQuery()) })
        {
            List<string> before;
            lock (store.Cluster.Gate)
            {
                before = [.. store.Truth.Events.Select(FakeStore.TagOf)];
            }

            var (events, error) = await FakeStore.Drain(sequence);
            List<string> after;
            lock (store.Cluster.Gate)
            {
                after = [.. store.Truth.Events.Select(FakeStore.TagOf)];
            }

            Assert.Equal(after.Take(events.Count), events.Select(FakeStore.TagOf));
            Assert.True(error is not null || events.Count >= before.Count, $"{events.Count} events were read without error, {before.Count} were there when the read began");
        }
    }

    /// <summary>Segments end early and move from node to node.</summary>
    private static void Disturb(FakeStore store, Random random)
    {
        lock (random)
        {
            lock (store.Cluster.Gate)
            {
                if (random.Next(10) == 0)
                {
                    store.Truth.Seal();
                }

                if (random.Next(5) == 0 && store.Truth.Segments.Any())
                {
                    store.Truth.Move(random.Next(store.Truth.Segments.Count()), $"node-{random.Next(5)}");
                }
            }
        }
    }
}
