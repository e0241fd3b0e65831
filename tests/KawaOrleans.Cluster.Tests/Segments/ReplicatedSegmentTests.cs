using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.Segments;

/// <summary>A log of three replicas, two of which acknowledge, through its grains.</summary>
public sealed class ReplicatedSegmentTests
{
    private const string Log = "orders";

    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task What_was_acknowledged_survives_the_primarys_silo_and_writing_goes_on_N3_A2()
    {
        await using var cluster = await KawaCluster.Start(3);
        var first = (await Open(cluster)).WriteSegment!;
        Assert.Equal(3, first.Ensemble.Count);
        var acknowledged = new List<Guid>();
        await Append(cluster, first, acknowledged, 20);

        await cluster.Kill(SiloOf(first.Primary));
        var chain = await Next(cluster, first.Id);
        Assert.Equal((20, 20), (chain.Segments[0].End, chain.WriteSegment!.Base));
        Assert.DoesNotContain(first.Primary, chain.WriteSegment.Ensemble.Select(node => node.Name));
        Assert.Equal(2, chain.WriteSegment.Ensemble.Count);

        await Append(cluster, chain.WriteSegment, acknowledged, 10);
        foreach (var node in chain.WriteSegment.Ensemble)
        {
            Assert.Equal(acknowledged.Take(20), await Read(cluster, chain.Segments[0], node.Name, to: 20));
            Assert.Equal(acknowledged.Skip(20), await Read(cluster, chain.WriteSegment, node.Name, to: 30));
        }

        // The one that died comes back, learns where its segment ended, and shows the same.
        await cluster.Restart(SiloOf(first.Primary));
        Assert.Equal(acknowledged.Take(20), await Read(cluster, chain.Segments[0], first.Primary, to: 20));
    }

    [Fact]
    public async Task A_follower_shows_what_is_acknowledged_and_one_that_was_away_catches_up_N3_A2()
    {
        await using var cluster = await KawaCluster.Start(3);
        var segment = (await Open(cluster)).WriteSegment!;
        var acknowledged = new List<Guid>();
        await Append(cluster, segment, acknowledged, 5);
        foreach (var node in segment.Ensemble)
        {
            Assert.Equal(acknowledged, await Read(cluster, segment, node.Name, to: 5));
        }

        var away = segment.Ensemble[2].Name;
        await cluster.Kill(SiloOf(away));
        await Append(cluster, segment, acknowledged, 40);
        await cluster.Restart(SiloOf(away));
        Assert.Equal(acknowledged, await Read(cluster, segment, away, to: 45));
        var (one, other) = (Replica(cluster, segment, segment.Primary), Replica(cluster, segment, away));
        for (var attempt = 0; attempt < 100 && other.Tail.Offset < one.Tail.Offset; attempt++)
        {
            await Task.Delay(50); // the checkpoint of an idle primary is on its way
        }

        Assert.Equal(one.ReadGroups(8192, int.MaxValue).ToArray(), other.ReadGroups(8192, int.MaxValue).ToArray());
    }

    [Fact]
    public async Task A_primary_that_two_followers_refuse_acknowledges_nothing_and_has_the_segment_ended_N3_A2()
    {
        await using var cluster = await KawaCluster.Start(3);
        var chain = await Open(cluster);
        var segment = chain.WriteSegment!;
        var acknowledged = new List<Guid>();
        await Append(cluster, segment, acknowledged, 3);
        var nodes = cluster.Service<NodesClient>(0);
        foreach (var follower in segment.Ensemble.Skip(1))
        {
            Assert.True((await nodes.Fence(follower.Name, chain.LogId, segment.Id, 0, default)).IsKnown);
        }

        // Written here, and nobody may be told so: the segment may end before it or behind it.
        var written = Event(99);
        await Assert.ThrowsAsync<UnknownOutcomeException>(() => cluster.Client.GetGrain<ISegmentGrain>(segment.Id, segment.Primary)
            .Append(new AppendRequest { Batches = Block.Of(EventBatch.Of(written)) }).AsTask());
        var next = await Next(cluster, segment.Id);
        var end = next.Segments[0].End!.Value;
        Assert.InRange(end, 3, 4);
        var shown = await Read(cluster, next.Segments[0], segment.Ensemble[1].Name, to: end);
        Assert.Equal(end == 4 ? [.. acknowledged, written.Id] : acknowledged, shown);

        // By its id it is known again, if it is there.
        var answer = Assert.IsType<Appended>(await cluster.Client.GetGrain<ISegmentGrain>(next.WriteSegment!.Id, next.WriteSegment.Primary)
            .Append(new AppendRequest { Batches = Block.Of(EventBatch.Of(written)), RetrySince = 0 }));
        Assert.Equal((end == 4, 3), (answer.IsRepeat, answer.First));
    }

    [Fact]
    public async Task A_primary_that_restarts_is_not_resumed_and_the_log_goes_on_N3_A2()
    {
        await using var cluster = await KawaCluster.Start(3);
        var segment = (await Open(cluster)).WriteSegment!;
        var acknowledged = new List<Guid>();
        await Append(cluster, segment, acknowledged, 7);
        await cluster.Kill(SiloOf(segment.Primary));
        await cluster.Restart(SiloOf(segment.Primary));
        var answer = await cluster.Client.GetGrain<ISegmentGrain>(segment.Id, segment.Primary)
            .Append(new AppendRequest { Batches = Block.Of(EventBatch.Of(Event(99))) });
        Assert.IsType<SegmentEnded>(answer);
        var next = await Next(cluster, segment.Id);
        Assert.Equal((7, 3), (next.WriteSegment!.Base, next.WriteSegment.Ensemble.Count));
        Assert.Equal(acknowledged, await Read(cluster, next.Segments[0], segment.Primary, to: 7));
    }

    private static EventData Event(int number) => new($"order-{number % 4}", "placed", new byte[200]) { Id = Guid.NewGuid() };

    private static int SiloOf(string node) => int.Parse(node["node-".Length..], System.Globalization.CultureInfo.InvariantCulture);

    private static Storage.Segment Replica(KawaCluster cluster, ChainSegment segment, string node) =>
        cluster.Service<LocalNode>(SiloOf(node)).Find(segment.Id)!;

    private static async Task<Chain> Open(KawaCluster cluster)
    {
        var directory = cluster.Client.GetGrain<ISegmentDirectoryGrain>(Log);
        await directory.Create(new LogOptions { Replicas = 3, AckQuorum = 2 });
        return await directory.OpenWriteSegment(null, 0);
    }

    private static async Task Append(KawaCluster cluster, ChainSegment segment, List<Guid> acknowledged, int count)
    {
        var grain = cluster.Client.GetGrain<ISegmentGrain>(segment.Id, segment.Primary);
        var events = Enumerable.Range(0, count).Select(Event).ToList();
        foreach (var e in events)
        {
            var appended = Assert.IsType<Appended>(await grain.Append(new AppendRequest { Batches = Block.Of(EventBatch.Of(e)) }));
            Assert.Equal(acknowledged.Count, appended.First);
            acknowledged.Add(e.Id);
        }
    }

    /// <summary>The segment behind this one, as soon as one can be opened.</summary>
    private static async Task<Chain> Next(KawaCluster cluster, Guid after)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await cluster.Client.GetGrain<ISegmentDirectoryGrain>(Log).OpenWriteSegment(after, 0);
            }
            catch (Exception e) when (e is KawaException { IsRetryable: true } or TimeoutException or Orleans.Runtime.OrleansException and not KawaException && attempt < 40)
            {
                // The directory's own silo may be the one that died.
                await Task.Delay(250);
            }
        }
    }

    /// <summary>The ids of the segment's events up to a position, from one node, as soon as it shows them.</summary>
    private static async Task<List<Guid>> Read(KawaCluster cluster, ChainSegment segment, string node, long to)
    {
        var grain = cluster.Client.GetGrain<ISegmentGrain>(segment.Id, node);
        var seen = new List<Guid>();
        var next = segment.Base;
        for (var attempt = 0; next < to && attempt < 40; attempt++)
        {
            try
            {
                var result = await grain.Read(new ReadRequest { From = next, To = to, Wait = Wait });
                seen.AddRange(result.Events.ToList(next, to).Select(e => e.Id));
                next = result.Next;
            }
            catch (Exception e) when (e is KawaException { IsRetryable: true } or TimeoutException or Orleans.Runtime.OrleansException and not KawaException && attempt < 39)
            {
                await Task.Delay(250);
            }
        }

        Assert.Equal(to, next);
        return seen;
    }
}
