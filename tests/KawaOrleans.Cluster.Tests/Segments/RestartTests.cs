namespace KawaOrleans.Cluster.Tests.Segments;

public sealed class RestartTests
{
    [Fact]
    public async Task A_node_that_returns_with_its_directory_serves_and_goes_on_writing_what_it_had()
    {
        await using var cluster = await KawaCluster.Start(3);
        var logs = await Filled(cluster, 6);

        await cluster.Kill(1);
        await cluster.Restart(1);

        foreach (var (log, tags) in logs)
        {
            await log.Append(PlainLog.Batch(2, tag: "after"));
            Assert.Equal([.. tags, "after/0", "after/1"], (await log.Read()).Select(PlainLog.TagOf));
        }
    }

    [Fact]
    public async Task A_whole_cluster_that_returns_has_every_event_and_takes_more()
    {
        var root = KawaCluster.NewRoot();
        try
        {
            List<string> names = [];
            List<List<string>> tags = [];
            await using (var cluster = await KawaCluster.Start(3, root))
            {
                foreach (var (log, appended) in await Filled(cluster, 6))
                {
                    tags.Add(appended);
                }

                names.AddRange((await cluster.Client.GetGrain<IEventStoreGrain>(0).ListLogs()).Select(log => log.Name));
            }

            Assert.Equal(6, names.Count);
            await using (var cluster = await KawaCluster.Start(3, root))
            {
                var again = await cluster.Client.GetGrain<IEventStoreGrain>(0).ListLogs();
                Assert.Equal(names.Order(StringComparer.Ordinal), again.Select(log => log.Name).Order(StringComparer.Ordinal));
                for (var i = 0; i < 6; i++)
                {
                    var log = new PlainLog(cluster.Client, $"log-{i}");
                    Assert.Equal(tags[i], (await log.Read()).Select(PlainLog.TagOf));
                    var appended = await log.Append(PlainLog.Batch(1, tag: "after"));
                    Assert.Equal(tags[i].Count, appended.First);
                }
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public async Task What_was_acknowledged_before_the_owner_died_is_there_when_it_returns()
    {
        await using var cluster = await KawaCluster.Start(3);
        var log = await new PlainLog(cluster.Client, "orders").Create();
        await log.Append(PlainLog.Batch(1, tag: "first"));
        var segment = (await log.Directory.GetChain()).WriteSegment!;
        var owner = int.Parse(segment.Primary["node-".Length..], System.Globalization.CultureInfo.InvariantCulture);
        var acknowledged = new List<(long Position, string Tag)>();
        var unknown = 0;
        var writers = Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 2000; i++)
            {
                var tag = $"w{writer}-{i}";
                try
                {
                    if (await log.Grain(segment).Append(Block.Of(PlainLog.Batch(1, tag: tag))) is Appended appended)
                    {
                        lock (acknowledged)
                        {
                            acknowledged.Add((appended.First, $"{tag}/0"));
                        }
                    }
                    else
                    {
                        return;
                    }
                }
                catch (NodeUnavailableException)
                {
                    return; // refused: nothing written
                }
                catch (Exception e) when (e is TimeoutException or Orleans.Runtime.OrleansException)
                {
                    Interlocked.Increment(ref unknown);
                    return; // unknown: it may be there or not, and nobody was told that it is
                }
            }
        })).ToArray();
        await Task.WhenAny(Task.WhenAll(writers), Task.Delay(150));
        await cluster.Kill(owner);
        await Task.WhenAll(writers);
        await cluster.Restart(owner);

        var events = await log.Read();

        Assert.NotEmpty(acknowledged);
        Assert.Equal(Enumerable.Range(0, events.Count).Select(i => (long)i), events.Select(e => e.Position));
        var at = events.ToDictionary(e => e.Position, PlainLog.TagOf);
        Assert.All(acknowledged, pair => Assert.Equal(pair.Tag, at[pair.Position]));
        Assert.InRange(events.Count, acknowledged.Count + 1, acknowledged.Count + 1 + unknown);
    }

    private static async Task<List<(PlainLog Log, List<string> Tags)>> Filled(KawaCluster cluster, int logs)
    {
        var filled = new List<(PlainLog, List<string>)>();
        for (var i = 0; i < logs; i++)
        {
            var log = await new PlainLog(cluster.Client, $"log-{i}").Create();
            var tags = new List<string>();
            for (var batch = 0; batch < 30; batch++)
            {
                await log.Append(PlainLog.Batch(20, bytes: 200, tag: $"{i}-{batch}"));
                tags.AddRange(Enumerable.Range(0, 20).Select(e => $"{i}-{batch}/{e}"));
            }

            Assert.True((await log.Directory.GetChain()).Segments.Count > 1, "the log is meant to have rolled");
            filled.Add((log, tags));
        }

        return filled;
    }
}
