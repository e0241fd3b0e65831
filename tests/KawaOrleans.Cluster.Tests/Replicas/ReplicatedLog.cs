using KawaOrleans.Client;
using KawaOrleans.Cluster.Tests.Streams;
using KawaOrleans.Server.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Replicas;

/// <summary>A log of three replicas, two of which acknowledge, on three silos, with what was appended to it; and a client that reads it by ways that can be
/// cut.</summary>
internal sealed class ReplicatedLog : IAsyncDisposable
{
    private readonly KawaCluster _cluster;
    private readonly List<EventData> _appended = [];

    private ReplicatedLog(KawaCluster cluster, CutNodes cuts, ILog log) => (_cluster, Cuts, Log) = (cluster, cuts, log);

    public CutNodes Cuts { get; }

    public KawaCluster Cluster => _cluster;

    public ILog Log { get; }

    public ISegmentDirectoryGrain Directory => _cluster.Client.GetGrain<ISegmentDirectoryGrain>(Log.Name);

    /// <summary>What is in the log, by position.</summary>
    public IReadOnlyList<EventData> Appended => _appended;

    public static async Task<ReplicatedLog> Start(Action<KawaClientOptions>? options = null)
    {
        var cuts = new CutNodes();
        var cluster = await KawaCluster.Start(
            3,
            configure: silo =>
            {
                silo.Services.AddSingleton(cuts);
                silo.AddOutgoingGrainCallFilter<CutNode>();
            },
            configureClient: client =>
            {
                client.AddOutgoingGrainCallFilter(cuts);
                client.AddKawaClient(client =>
                {
                    client.ReadBlockBytes = 16 * 1024;
                    client.RetryFor = TimeSpan.FromSeconds(15);
                    options?.Invoke(client);
                });
            });
        for (var silo = 0; silo < 3; silo++)
        {
            cuts.Addresses[KawaCluster.NodeName(silo)] = cluster.Handle(silo).SiloAddress.ToParsableString();
        }

        var store = cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>();
        return new ReplicatedLog(cluster, cuts, await store.CreateLogAsync("orders", new LogOptions { SegmentBytes = 64 * 1024, Replicas = 3, AckQuorum = 2 }));
    }

    /// <summary>Appends so many events of about 1,000 bytes, some a batch, spread over ten streams.</summary>
    public async Task Append(int events, int batch = 7)
    {
        for (var left = events; left > 0; left -= batch)
        {
            var some = Enumerable.Range(_appended.Count, Math.Min(batch, left)).Select(Event).ToList();
            var encoded = EventBatch.Encode(some);
            while (true)
            {
                try
                {
                    Assert.Equal(_appended.Count, (await Log.AppendAsync(encoded)).First);
                    break;
                }
                catch (UnknownOutcomeException)
                {
                    // Repeated by its ids, until it is known where it is.
                }
            }

            _appended.AddRange(some);
        }
    }

    /// <summary>Kills a node's silo and starts it again.</summary>
    public async Task Restart(string node)
    {
        await _cluster.Kill(SiloOf(node));
        await Start(SiloOf(node));
    }

    /// <summary>Starts a silo that was killed.</summary>
    public async Task Start(int silo)
    {
        await _cluster.Restart(silo);
        Cuts.Addresses[KawaCluster.NodeName(silo)] = _cluster.Handle(silo).SiloAddress.ToParsableString();
    }

    /// <summary>The log as a client sees it that has seen nothing of it yet.</summary>
    public ILog OtherClient() =>
        new EventStoreClient(new ClusterGrains(_cluster.Client), new KawaClientOptions { ReadBlockBytes = 16 * 1024, RetryFor = TimeSpan.FromSeconds(15) }, TimeProvider.System).Log(Log.Name);

    public Task<Chain> Chain() => Directory.GetChain();

    public ISegmentGrain Segment(ChainSegment segment, string node) => _cluster.Client.GetGrain<ISegmentGrain>(segment.Id, node);

    public Storage.Segment Replica(ChainSegment segment, string node) => TryReplica(segment, node)!;

    public Storage.Segment? TryReplica(ChainSegment segment, string node) => _cluster.Service<LocalNode>(SiloOf(node)).Find(segment.Id);

    public static int SiloOf(string node) => int.Parse(node["node-".Length..], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Waits until all replicas of the segment that is written know everything appended to be committed; answers the chain.</summary>
    public async Task<Chain> Told()
    {
        while (true)
        {
            // On a busy machine another segment may be written by the time this one's replicas are looked at.
            var chain = await Chain();
            if (chain.WriteSegment is { } open)
            {
                var told = open.Ensemble.Select(node => Replica(open, node.Name).WaitForAsync(_appended.Count - 1, TimeSpan.FromSeconds(1), default).AsTask());
                if ((await Task.WhenAll(told)).All(static isTold => isTold))
                {
                    return chain;
                }
            }
        }
    }

    /// <summary>Waits until two nodes hold all that has ended. Where one alone could say where a segment ends, it alone holds the rest until the others have
    /// copied it (docs/PROTOCOL.md, "How a segment ends"): until then nobody can answer for it when that one is away.</summary>
    public async Task Mended()
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var chain = (await Log.DescribeAsync()).Chain;
            var alone = chain.Segments.FirstOrDefault(segment =>
                !segment.IsOpen && segment.Ensemble.Count(node => TryReplica(segment, node.Name)?.State == Storage.SegmentState.Sealed) < 2);
            if (alone is null)
            {
                return;
            }

            Assert.False(late.IsCancellationRequested, $"segment {alone.Id:N} [{alone.Base}, {alone.End}) is whole on fewer than two nodes");
            await Task.Delay(TimeSpan.FromMilliseconds(50), CancellationToken.None);
        }
    }

    /// <summary>Flips one byte of each event in a replica's file.</summary>
    public async Task Damage(ChainSegment segment, string node)
    {
        var replica = Replica(segment, node);
        var read = replica.Read(segment.Base, segment.End ?? long.MaxValue, int.MaxValue, int.MaxValue);
        for (var at = 300; at < read.Bytes.Length; at += 900)
        {
            byte[] damaged = [(byte)(read.Bytes.Span[at] ^ 0x10)];
            if (replica.IsServedByFooter)
            {
                await using var file = new FileStream(replica.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite) { Position = read.Run.Offset + at };
                await file.WriteAsync(damaged);
            }
            else
            {
                replica.WritableFile.Write(read.Run.Offset + at, damaged);
            }
        }
    }

    /// <summary>Holds every way of reading against what was appended.</summary>
    public async Task AssertAllReads()
    {
        await AssertReadsByPosition();
        await AssertReadsByStream();
        await AssertLists();
        await AssertQueries();
    }

    public async Task AssertReadsByPosition()
    {
        AssertSame(_appended, await StreamTests.Drain(Log.ReadAsync()));
        var from = _appended.Count / 2;
        AssertSame(_appended.Skip(from), await StreamTests.Drain(Log.ReadAsync(from)));
        foreach (var position in new[] { 0, from, _appended.Count - 1 })
        {
            Assert.Equal(_appended[position].Id, (await Log.TryReadAsync(position))!.Id);
        }

        Assert.Null(await Log.TryReadAsync(_appended.Count));
        var together = await Task.WhenAll(Enumerable.Range(0, _appended.Count + 1).Select(position => Log.TryReadAsync(position)));
        Assert.Equal([.. _appended.Select(e => (Guid?)e.Id), null], together.Select(e => e?.Id));
        var ids = new List<Guid>();
        await foreach (var block in Log.ReadBlocksAsync())
        {
            using (block)
            {
                foreach (var e in block)
                {
                    ids.Add(e.Id);
                }
            }
        }

        Assert.Equal(_appended.Select(e => e.Id), ids);
    }

    public async Task AssertReadsByStream()
    {
        foreach (var group in _appended.GroupBy(e => e.Stream).Take(3))
        {
            var stream = Log.Stream(group.Key);
            AssertSame(group, await StreamTests.Drain(stream.ReadAsync()));
            AssertSame(group.Reverse(), await StreamTests.Drain(stream.ReadAsync(ReadDirection.Backward)));
            AssertSame(group.Skip(2), await StreamTests.Drain(stream.ReadAsync(from: 2)));
            Assert.Equal(group.Last().Id, (await stream.TryReadLastAsync())?.Id);
            var bounds = await stream.DescribeAsync();
            Assert.Equal((group.Count(), 0L, group.Count() - 1L), (bounds!.Count, bounds.FirstRevision, bounds.LastRevision));
        }

        Assert.Empty(await StreamTests.Drain(Log.Stream("never").ReadAsync()));
    }

    public async Task AssertLists() =>
        Assert.Equal(_appended.Select(e => e.Stream).Distinct(), await StreamTests.Drain(Log.ListStreamsAsync()));

    public async Task AssertQueries()
    {
        AssertSame(_appended, await StreamTests.Drain(Log.QueryAsync(new RangeQuery())));
        var filter = new EventFilter { StreamPrefix = "order-3" };
        AssertSame(_appended.Where(e => e.Stream == "order-3"), await StreamTests.Drain(Log.QueryAsync(new RangeQuery { Filter = filter })));
        var counted = await Log.AggregateAsync(new AggregationQuery { Name = "count" });
        Assert.Equal((_appended.Count, _appended.Count), (counted.Events, counted.To));
        var some = await Log.AggregateAsync(new AggregationQuery { Name = "count", Range = new RangeQuery { Filter = filter } });
        Assert.Equal(_appended.Count(e => e.Stream == "order-3"), some.Events);
    }

    public ValueTask DisposeAsync()
    {
        Cuts.Heal();
        return _cluster.DisposeAsync();
    }

    public static void AssertSame(IEnumerable<EventData> expected, IEnumerable<RecordedEvent> read) =>
        Assert.Equal(expected.Select(e => (e.Id, e.Stream)), read.Select(e => (e.Id, e.Stream)));

    private static EventData Event(int number) => new($"order-{number * 7 % 10}", "placed", new byte[1000]) { Id = Guid.NewGuid() };
}
