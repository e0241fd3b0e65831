using System.Collections.Concurrent;
using KawaOrleans.Server.Nodes;

namespace KawaOrleans.Cluster.Tests.Segments;

public sealed class RollTests
{
    [Fact]
    public async Task Eight_writers_at_once_fill_many_segments_and_every_position_is_taken_exactly_once()
    {
        await using var cluster = await KawaCluster.Start(3);
        await new PlainLog(cluster.Client, "busy").Create();
        var placed = new ConcurrentDictionary<long, string>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            var log = new PlainLog(cluster.Client, "busy");
            var last = -1L;
            for (var i = 0; i < 100; i++)
            {
                var events = 1 + ((writer + i) % 7);
                var appended = await log.Append(PlainLog.Batch(events, bytes: 300, tag: $"{writer}-{i}"));
                Assert.Equal(events, appended.Count);
                Assert.True(appended.First > last, "one writer's batches keep their order");
                last = appended.Last;
                for (var e = 0; e < events; e++)
                {
                    Assert.True(placed.TryAdd(appended.First + e, $"{writer}-{i}/{e}"), $"position {appended.First + e} was given twice");
                }
            }
        })));

        var log = new PlainLog(cluster.Client, "busy");
        var events = await log.Read();
        var chain = await log.Directory.GetChain();

        Assert.True(chain.Segments.Count > 8, $"only {chain.Segments.Count} segments");
        Assert.Equal(placed.Count, events.Count);
        Assert.Equal(Enumerable.Range(0, placed.Count).Select(i => (long)i), events.Select(e => e.Position));
        Assert.All(events, e => Assert.Equal(placed[e.Position], PlainLog.TagOf(e)));
        Assert.All(chain.Segments.SkipLast(1), segment => Assert.False(segment.IsOpen));
        Assert.Equal(events.OrderBy(e => e.Recorded).ThenBy(e => e.Position).Select(e => e.Position), events.Select(e => e.Position));
        var description = await log.DescribeSealed();
        Assert.Null(description.WhyNotWritable);
        Assert.Equal(placed.Count, description.Events);
        Assert.All(description.Segments.SkipLast(1), segment => Assert.Equal(ReplicaState.Sealed, segment.State));
    }

    [Fact]
    public async Task Readers_beside_a_writer_see_a_prefix_without_holes_and_never_more_than_committed()
    {
        await using var cluster = await KawaCluster.Start(2);
        var log = await new PlainLog(cluster.Client, "tail").Create(256 * 1024);
        await log.Append(PlainLog.Batch(1, tag: "0"));
        var written = 1L;
        using var done = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            for (var i = 1; i <= 300; i++)
            {
                var appended = await log.Append(PlainLog.Batch(5, bytes: 300, tag: $"{i}"));
                Volatile.Write(ref written, appended.Last + 1);
            }
        });
        var reading = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            var own = new PlainLog(cluster.Client, "tail");
            var most = 0;
            while (!writing.IsCompleted)
            {
                var acknowledged = Volatile.Read(ref written);
                var plan = await own.Directory.Plan(new RangeQuery());
                var events = await own.Read();
                Assert.True(plan.To >= acknowledged, $"planned to {plan.To} although {acknowledged} events were acknowledged");
                Assert.Equal(Enumerable.Range(0, events.Count).Select(i => (long)i), events.Select(e => e.Position));
                Assert.True(events.Count >= most, "a reader never loses what it has seen");
                most = events.Count;
            }
        })).ToArray();
        await Task.WhenAll([writing, .. reading]);
        Assert.Equal(1501, (await log.Read()).Count);
    }

    [Fact]
    public async Task A_read_at_the_tail_waits_for_the_next_event()
    {
        await using var cluster = await KawaCluster.Start(1);
        var log = await new PlainLog(cluster.Client, "tail").Create();
        await log.Append(PlainLog.Batch(1));
        var grain = log.Grain((await log.Directory.GetChain()).WriteSegment!);
        var nothing = await grain.Read(new ReadRequest { From = 1, Wait = TimeSpan.FromMilliseconds(50) });
        Assert.Equal((1, 1, false), (nothing.Next, nothing.Committed, nothing.AtEndOfSegment));

        var waiting = grain.Read(new ReadRequest { From = 1, Wait = TimeSpan.FromSeconds(2) }).AsTask();
        await log.Append(PlainLog.Batch(1, tag: "awaited"));

        Assert.Equal("awaited/0", PlainLog.TagOf(Assert.Single((await waiting).Events.ToList())));
    }

    [Fact]
    public async Task A_batch_larger_than_the_next_segment_gets_one_that_holds_it()
    {
        await using var cluster = await KawaCluster.Start(1);
        var log = await new PlainLog(cluster.Client, "large").Create(64 * 1024);
        await log.Append(PlainLog.Batch(1, tag: "small"));
        await log.Append(PlainLog.Batch(100, bytes: 20_000, tag: "large"));
        await log.Append(PlainLog.Batch(1, tag: "small again"));

        var events = await log.Read();

        Assert.Equal(102, events.Count);
        Assert.Equal("small again/0", PlainLog.TagOf(events[^1]));
    }

    /// <summary>The grain of an ended segment lives on for its readers. Would each keep the chain of its time, a log's memory would grow with the square of its segments.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    public async Task An_ended_segment_keeps_no_chain(int replicas, int ackQuorum)
    {
        const int Rolls = 6;

        // The one that each node keeps, and the one that the writer last looked at.
        var most = replicas + 1;
        await using var cluster = await KawaCluster.Start(replicas);
        var log = await new PlainLog(cluster.Client, "orders").Create(replicas: replicas, ackQuorum: ackQuorum);
        var chains = new List<WeakReference>();
        for (Guid? last = null; chains.Count < Rolls * replicas;)
        {
            await log.AppendSurely(PlainLog.Batch(20, bytes: 200, tag: "fill"));
            var open = (await log.Directory.GetChain()).WriteSegment!.Id;
            if (open != last)
            {
                last = open;
                chains.AddRange(Enumerable.Range(0, replicas).Select(silo => Kept(cluster, silo)));
            }
        }

        for (var attempt = 0; attempt < 100 && Alive() > most; attempt++)
        {
            await Task.Delay(50);
            GC.Collect();
        }

        Assert.InRange(Alive(), 0, most);

        int Alive() => chains.DistinctBy(static chain => chain.Target).Count(static chain => chain.IsAlive);
    }

    /// <summary>Of its own, so that no chain stays in a local of the caller.</summary>
    private static WeakReference Kept(KawaCluster cluster, int silo)
    {
        var host = cluster.Service<NodeHost>(silo);
        return new WeakReference(host.Chains.All.Single());
    }
}
