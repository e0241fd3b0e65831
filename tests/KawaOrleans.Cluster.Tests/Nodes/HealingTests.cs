using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using KawaOrleans.Cluster.Tests.Replicas;
using KawaOrleans.Server;
using KawaOrleans.Server.Healing;
using KawaOrleans.Server.Nodes;
using KawaOrleans.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KawaOrleans.Cluster.Tests.Nodes;

/// <summary>Replicas that were lost, damaged or left behind come back by themselves, the same bytes as the others.</summary>
public sealed class HealingTests
{
    private const int Header = 8192;

    [Theory]
    [InlineData("deleted")]
    [InlineData("truncated")]
    [InlineData("bit-flipped")]
    [InlineData("header lost")]
    public async Task A_replica_that_was_harmed_while_its_silo_was_down_comes_back_whole_N3_A2(string harm)
    {
        await using var cluster = await KawaCluster.Start(3);
        var (log, tags) = await Filled(cluster);
        var chain = await log.Directory.GetChain();
        var segment = chain.Segments[1];
        var harmed = SiloOf(segment.Ensemble[1].Name);
        var path = Replica(cluster, segment, harmed).Path;
        var whole = Replica(cluster, segment, SiloOf(segment.Primary)).ReadGroups(Header, int.MaxValue).ToArray();
        await cluster.StopGracefully(harmed);
        Harm(path, harm, whole.Length);

        await cluster.Restart(harmed);

        await Until(() => IsWhole(cluster, segment, harmed, whole), "the replica is whole");
        await Until(async () => (await Health(cluster, harmed)).Status == HealthStatus.Healthy, "the node is healthy");
        Assert.Equal(segment.Ensemble, (await log.Directory.GetChain()).Segments[1].Ensemble);
        var aside = Path.Combine(KawaCluster.DataDirectory(cluster.Root, harmed), "aside");
        Assert.Equal(harm != "deleted", Directory.Exists(aside) && Directory.GetFiles(aside).Any(file => file.Contains(segment.Id.ToString("N"), StringComparison.Ordinal)));
        Assert.Equal(tags, (await log.Read()).Select(PlainLog.TagOf));
        Assert.Empty(Directory.GetFiles(Path.Combine(KawaCluster.DataDirectory(cluster.Root, harmed), "copies")));
        await cluster.StopGracefully(harmed);
        Assert.True(File.ReadAllBytes(path).AsSpan(Header, whole.Length).SequenceEqual(whole));
    }

    [Fact]
    public async Task A_replica_whose_segment_ended_while_its_silo_was_down_is_completed_and_sealed_N3_A2()
    {
        await using var cluster = await KawaCluster.Start(3);
        var log = await new PlainLog(cluster.Client, "orders").Create(replicas: 3, ackQuorum: 2);
        await log.AppendSurely(PlainLog.Batch(20, bytes: 200, tag: "before"));
        var open = (await log.Directory.GetChain()).WriteSegment!;
        var away = SiloOf(open.Ensemble[2].Name);
        await Until(() => Replica(cluster, open, away).Tail.Position == 20, "the follower has what was appended");
        await cluster.Kill(away);
        var ended = (await Fill(log, open.Id)).Segments[0];
        var whole = Replica(cluster, open, SiloOf(open.Primary)).ReadGroups(Header, int.MaxValue).ToArray();

        await cluster.Restart(away);

        await Until(() => IsWhole(cluster, ended, away, whole), "the replica is whole");
    }

    [Fact]
    public async Task A_replica_that_was_left_behind_is_looked_at_as_soon_as_its_node_learns_of_it_N3_A2()
    {
        await using var log = await ReplicatedLog.Start();
        await log.Append(7);
        var first = (await log.Told()).WriteSegment!;
        var behind = first.Ensemble[2].Name;
        var host = log.Cluster.Service<NodeHost>(SiloOf(behind));
        var (wake, heard) = (host.FoundShort, 0);
        host.FoundShort = () =>
        {
            heard++;
            wake();
        };
        log.Cuts.FromPrimaries(behind);
        await log.Append(200);
        var chain = await log.Chain();
        Assert.Equal(0, heard);
        log.Cuts.Heal();

        var node = log.Cluster.Service<LocalNode>(SiloOf(behind));
        node.Announce(chain);

        Assert.NotEqual(0, heard);
        await Until(() => chain.Segments.Where(static segment => !segment.IsOpen).All(segment => log.Replica(segment, behind).State == SegmentState.Sealed), "it is whole");
    }

    [Fact]
    public async Task A_node_lost_for_ever_is_replaced_by_another_in_every_segment_N3_A2()
    {
        await using var cluster = await KawaCluster.Start(4);
        var (log, tags) = await Filled(cluster);
        var lost = (await log.Directory.GetChain()).Segments[0].Ensemble[0];
        await cluster.StopGracefully(SiloOf(lost.Name));
        Directory.Delete(KawaCluster.DataDirectory(cluster.Root, SiloOf(lost.Name)), recursive: true);
        var segments = await Ended(log);

        await cluster.Client.GetGrain<IEventStoreGrain>(0).ReplaceNode(lost.Name);

        // The open one too: it is ended, and the next one is opened on other nodes.
        await Until(async () => (await log.Directory.GetChain()).Segments
            .All(segment => segment.Ensemble.Count == 3 && !segment.Ensemble.Contains(lost)), "every segment has three other nodes");
        var chain = await log.Directory.GetChain();
        foreach (var segment in segments)
        {
            var now = chain.Segments.Single(found => found.Id == segment.Id);
            Assert.Equal((segment.Base, segment.End, segment.Epoch, segment.AckQuorum), (now.Base, now.End, now.Epoch, now.AckQuorum));
            var whole = Replica(cluster, now, SiloOf(now.Primary)).ReadGroups(Header, int.MaxValue).ToArray();
            foreach (var node in now.Ensemble)
            {
                await Until(() => IsWhole(cluster, now, SiloOf(node.Name), whole), $"the replica on {node.Name} is whole");
            }
        }

        Assert.Equal(tags, (await log.Read()).Select(PlainLog.TagOf));
    }

    [Fact]
    public async Task An_empty_directory_under_the_name_of_a_lost_one_takes_its_places_N3_A2()
    {
        await using var cluster = await KawaCluster.Start(3);
        var (log, _) = await Filled(cluster);
        var segment = (await log.Directory.GetChain()).Segments[0];
        var lost = segment.Ensemble[1];
        var whole = Replica(cluster, segment, SiloOf(segment.Primary)).ReadGroups(Header, int.MaxValue).ToArray();
        await cluster.StopGracefully(SiloOf(lost.Name));
        Directory.Delete(KawaCluster.DataDirectory(cluster.Root, SiloOf(lost.Name)), recursive: true);
        await cluster.Client.GetGrain<IEventStoreGrain>(0).ReplaceNode(lost.Name);

        await cluster.Restart(SiloOf(lost.Name));

        await Until(() => IsWhole(cluster, segment, SiloOf(lost.Name), whole), "the new directory has the segment");
        var now = (await log.Directory.GetChain()).Segments[0].Ensemble;
        Assert.DoesNotContain(lost, now);
        Assert.Equal(segment.Ensemble.Select(node => node.Name).Order(StringComparer.Ordinal), now.Select(node => node.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Segments_that_began_with_too_few_nodes_get_another_replica_when_there_is_one_N3_A2()
    {
        await using var cluster = await KawaCluster.Start(3);
        await cluster.StopGracefully(2);
        var (log, _) = await Filled(cluster);
        var few = (await log.Directory.GetChain()).Segments.Where(segment => !segment.IsOpen).ToList();
        Assert.All(few, segment => Assert.Equal(2, segment.Ensemble.Count));
        await Until(async () => (await Health(cluster, SiloOf(few[0].Primary))).Description!.Contains("fewer than 3 replicas", StringComparison.Ordinal), "health says so");

        await cluster.Restart(2);

        await Until(async () => (await Ended(log)) is var now && few.All(one => now.Single(found => found.Id == one.Id).Ensemble.Count == 3), "each has a third");
        foreach (var segment in few)
        {
            var whole = Replica(cluster, segment, SiloOf(segment.Primary)).ReadGroups(Header, int.MaxValue).ToArray();
            await Until(() => IsWhole(cluster, segment, 2, whole), "the third is whole");
        }
    }

    [Fact]
    public async Task Healing_that_was_cut_off_goes_on_where_it_was_N3_A2()
    {
        // Of each silo: other tests heal at the same time.
        var healed = new ConcurrentDictionary<Meter, long>();
        var ours = new List<Meter>();
        long Healed() => ours.Sum(silo => healed.GetValueOrDefault(silo));
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, to) =>
        {
            if (instrument.Name == "kawa.healed.bytes")
            {
                to.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, bytes, _, _) => healed.AddOrUpdate(instrument.Meter, bytes, (_, before) => before + bytes));
        listener.Start();
        await using var cluster = await KawaCluster.Start(3, configure: silo => silo.Services.Configure<KawaEventStoreOptions>(
            options => options.HealingBytesPerSecond = 1 << 20));
        var log = await new PlainLog(cluster.Client, "orders").Create(segmentBytes: 4 << 20, replicas: 3, ackQuorum: 2);
        await log.AppendSurely(PlainLog.Batch(1));
        var ended = (await Fill(log, (await log.Directory.GetChain()).WriteSegment!.Id, bytes: 10_000)).Segments[0];
        var harmed = SiloOf(ended.Ensemble[1].Name);
        var path = Replica(cluster, ended, harmed).Path;
        var whole = Replica(cluster, ended, SiloOf(ended.Primary)).ReadGroups(Header, int.MaxValue).ToArray();
        await cluster.StopGracefully(harmed);
        File.Delete(path);
        await cluster.Restart(harmed);
        ours.Add(cluster.Service<KawaMetrics>(harmed).Meter);
        await Until(() => Healed() > 0, "the copy has begun");
        await cluster.Kill(harmed);
        var before = Healed();
        Assert.InRange(before, 1, whole.Length - 1);

        await cluster.Restart(harmed);
        ours.Add(cluster.Service<KawaMetrics>(harmed).Meter);

        await Until(() => IsWhole(cluster, ended, harmed, whole), "the replica is whole");
        Assert.Equal(whole.Length, Healed());
    }

    /// <summary>It was verified when its silo started, and nothing tells the node but those who read it.</summary>
    [Fact]
    public async Task A_replica_that_rots_while_it_is_served_is_mended_once_a_read_met_it_N3_A2()
    {
        await using var cluster = await KawaCluster.Start(3);
        var (log, _) = await Filled(cluster);
        var segment = (await log.Directory.GetChain()).Segments[1];
        var (name, rotten) = (segment.Ensemble[1].Name, SiloOf(segment.Ensemble[1].Name));
        var whole = Replica(cluster, segment, SiloOf(segment.Primary)).ReadGroups(Header, int.MaxValue).ToArray();
        await cluster.StopGracefully(rotten);
        await cluster.Restart(rotten);
        await Until(() => cluster.Service<Healer>(rotten).HasVerified(segment.Id), "the replica was verified");

        Harm(Replica(cluster, segment, rotten).Path, "bit-flipped", whole.Length);

        // What the silo looks at for its reader it verifies.
        var grain = cluster.Client.GetGrain<ISegmentGrain>(segment.Id, name);
        await Assert.ThrowsAsync<SegmentFaultedException>(() => grain.Read(new ReadRequest { From = segment.Base, Filter = new EventFilter { Types = ["none"] } }).AsTask());
        await Until(() => IsWhole(cluster, segment, rotten, whole), "the replica is whole again");
        await Until(async () => (await Health(cluster, rotten)).Status == HealthStatus.Healthy, "the node is healthy");
    }

    private static async Task<List<ChainSegment>> Ended(PlainLog log) => [.. (await log.Directory.GetChain()).Segments.Where(segment => !segment.IsOpen)];

    private static async Task<(PlainLog Log, List<string> Tags)> Filled(KawaCluster cluster)
    {
        var log = await new PlainLog(cluster.Client, "orders").Create(replicas: 3, ackQuorum: 2);
        var tags = new List<string>();
        for (var batch = 0; batch < 40; batch++)
        {
            await log.AppendSurely(PlainLog.Batch(20, bytes: 200, tag: $"{batch}"));
            tags.AddRange(Enumerable.Range(0, 20).Select(e => $"{batch}/{e}"));
        }

        Assert.True((await log.Directory.GetChain()).Segments.Count > 2, "the log is meant to have rolled");
        return (log, tags);
    }

    /// <summary>Appends until the segment is full and another one is open.</summary>
    private static async Task<Chain> Fill(PlainLog log, Guid segment, int bytes = 200)
    {
        while (true)
        {
            await log.AppendSurely(PlainLog.Batch(20, bytes: bytes, tag: "fill"));
            var chain = await log.Directory.GetChain();
            if (chain.WriteSegment is { } open && open.Id != segment)
            {
                return chain;
            }
        }
    }

    private static void Harm(string path, string harm, int frameBytes)
    {
        if (harm == "deleted")
        {
            File.Delete(path);
            return;
        }

        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        if (harm == "truncated")
        {
            file.SetLength(Header + (frameBytes / 2));
            return;
        }

        file.Position = harm == "bit-flipped" ? Header + (frameBytes / 2) : 8;
        var old = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(old ^ 1));
    }

    private static bool IsWhole(KawaCluster cluster, ChainSegment segment, int silo, byte[] frames)
    {
        var store = cluster.Service<NodeHost>(silo).Store;
        return store.TryGet(segment.Id, segment.Generation, out var replica) && replica!.State == SegmentState.Sealed
            && store.Untrusted.All(file => file.SegmentId != segment.Id) && replica.ReadGroups(Header, int.MaxValue).Span.SequenceEqual(frames);
    }

    private static int SiloOf(string node) => int.Parse(node["node-".Length..], System.Globalization.CultureInfo.InvariantCulture);

    private static Segment Replica(KawaCluster cluster, ChainSegment segment, int silo) => cluster.Service<LocalNode>(silo).Find(segment.Id)!;

    private static Task<HealthCheckResult> Health(KawaCluster cluster, int silo) =>
        cluster.Service<KawaHealthCheck>(silo).CheckHealthAsync(new HealthCheckContext());

    private static Task Until(Func<bool> holds, string what) => Until(() => Task.FromResult(holds()), what);

    private static async Task Until(Func<Task<bool>> holds, string what)
    {
        for (var attempt = 0; !await holds(); attempt++)
        {
            Assert.True(attempt < 600, $"It was awaited in vain that {what}.");
            await Task.Delay(100);
        }
    }
}
