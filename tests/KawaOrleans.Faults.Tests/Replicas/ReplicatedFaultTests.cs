using System.Diagnostics;
using KawaOrleans.Faults.Tests.Importing;
using KawaOrleans.Faults.Tests.Silos;
using Xunit.Abstractions;

namespace KawaOrleans.Faults.Tests.Replicas;

/// <summary>Three silo processes, logs with N = 3 and A = 2, callers and a reader at work, and one failure after another. Whatever happens, nothing that
/// was acknowledged is lost, there twice or in another order: the history checker looks. One round each by default; <c>KAWA_FAULT_ROUNDS</c> for more.</summary>
/// <remarks>The first silo keeps the membership table of this development cluster, so that it only dies together with all others. A silo counts as
/// started when it is ready: it may not be well yet, because a test before harmed its files.</remarks>
[Trait("Category", "Faults"), Collection(ReplicatedFaults.Name)]
public sealed class ReplicatedFaultTests(ReplicatedCluster cluster, ITestOutputHelper output)
{
    private const int After = 15;

    private readonly FaultRounds _rounds = new(cluster, output);

    [Fact]
    public Task The_primarys_silo_is_killed_N3_A2() => _rounds.RunAsync(async load =>
    {
        var primary = await PrimaryAsync(load);
        await primary.KillAsync();
        var died = Stopwatch.StartNew();
        await load.ProgressAsync(1);
        _rounds.Say($"{primary.Node} killed; every caller went on within {died.Elapsed.TotalSeconds:F1} s");
        await load.ProgressAsync(After);
        await primary.StartAsync(SiloProcesses.StartLimit, orDegraded: true);
    });

    [Fact]
    public Task A_followers_silo_is_killed_and_no_append_fails_N3_A2() => _rounds.RunAsync(async load =>
    {
        var segment = await ReplicatedCluster.WriteSegmentAsync(load.Log);
        var follower = segment.Ensemble.Skip(1).Select(node => cluster.Silo(node.Name)).First(silo => silo != cluster.Silos.First);
        var failures = load.Failures;
        await follower.KillAsync();
        await load.ProgressAsync(After);
        Assert.True(load.Failures == failures, $"{load.Failures - failures} appends failed when {follower.Node} died: {string.Join(" | ", load.LastFailures)}");
        await follower.StartAsync(SiloProcesses.StartLimit, orDegraded: true);
    });

    [Fact]
    public Task The_directorys_silo_is_killed_N3_A2() => _rounds.RunAsync(async load =>
    {
        var silo = await cluster.DirectoryOf(load.Log);
        await silo.KillAsync();
        await load.ProgressAsync(After);
        await silo.StartAsync(SiloProcesses.StartLimit, orDegraded: true);
        _rounds.Say($"the directory of {load.Log.Name} died with {silo.Node}");
    });

    [Fact]
    public Task Two_of_three_are_killed_writes_stop_say_why_and_go_on_when_one_returns_N3_A2() => _rounds.RunAsync(async load =>
    {
        var dead = cluster.Silos.All.Skip(1).ToList();
        await Task.WhenAll(dead.Select(static silo => silo.KillAsync()));
        var (failures, died) = (load.Failures, Stopwatch.StartNew());

        // Where the framework's own directory of grains had the log's entry on one of the two, nobody is reached to say why before the cluster declares that one dead.
        await load.UntilAsync(
            () => load.Failures > failures && load.LastFailures.Any(said => dead.TrueForAll(silo => said.Contains($"'{silo.Node}'", StringComparison.Ordinal))),
            () => $"appends to be refused with the names of {dead[0].Node} and {dead[1].Node}: {string.Join(" | ", load.LastFailures)}",
            patience: 2);
        var stopped = load.Acknowledged;
        await Task.Delay(TimeSpan.FromSeconds(1));
        Assert.Equal(stopped, load.Acknowledged);
        _rounds.Say($"writes stopped, and callers were told why after {died.Elapsed.TotalSeconds:F1} s: {load.LastFailures.First()}");
        await dead[0].StartAsync(SiloProcesses.StartLimit, orDegraded: true);
        await load.ProgressAsync(After);
        await dead[1].StartAsync(SiloProcesses.StartLimit, orDegraded: true);
    });

    [Fact]
    public Task A_primary_that_stood_still_acknowledges_nothing_when_it_goes_on_N3_A2() => _rounds.RunAsync(async load =>
    {
        var segment = await ReplicatedCluster.WriteSegmentAsync(load.Log);
        var primary = cluster.Silo(segment.Primary);
        await primary.PauseAsync();
        var late = Enumerable.Range(0, 8).Select(_ => ToldByAsync(segment)).ToList();
        await load.ProgressAsync(After);
        primary.GoOn();
        await load.ProgressAsync(After);
        Assert.All(await Task.WhenAll(late), static told => Assert.IsNotType<Appended>(told));
        Assert.IsNotType<Appended>(await ToldByAsync(segment));
    });

    [Theory]
    [InlineData("deleted")]
    [InlineData("truncated")]
    [InlineData("bit-flipped")]
    public Task A_replica_is_harmed_while_its_silo_is_down_N3_A2(string how) => _rounds.RunAsync(async load =>
    {
        var primary = await PrimaryAsync(load);
        var segment = await ReplicatedCluster.WriteSegmentAsync(load.Log);
        await primary.KillAsync();
        Harm(primary, segment.Id, how);
        await load.ProgressAsync(After);
        await primary.StartAsync(SiloProcesses.StartLimit, orDegraded: true);
        await load.ProgressAsync(After);
    });

    [Fact]
    public Task All_three_are_killed_at_once_N3_A2() => _rounds.RunAsync(async load =>
    {
        await cluster.Silos.KillAndRestartSilosAsync();
        await load.ProgressAsync(After);
    });

    [Fact]
    public Task Silos_are_stopped_and_started_one_after_another_N3_A2() => _rounds.RunAsync(async load =>
    {
        foreach (var silo in cluster.Silos.All.Skip(1))
        {
            Assert.Equal(0, await silo.StopAsync(Patience.Limit));
            await load.ProgressAsync(After);
            await silo.StartAsync(SiloProcesses.StartLimit, orDegraded: true);
            await load.ProgressAsync(After);
        }
    });

    /// <summary>Changes a replica's file where events lie that were acknowledged long ago.</summary>
    private static void Harm(SiloProcess silo, Guid segment, string how)
    {
        var path = Directory.EnumerateFiles(silo.DataDirectory, $"{segment:N}*.seg", SearchOption.AllDirectories).Single();
        switch (how)
        {
            case "deleted":
                File.Delete(path);
                break;
            case "truncated":
                using (var file = File.OpenWrite(path))
                {
                    file.SetLength(file.Length / 2);
                }

                break;
            default:
                using (var file = File.Open(path, FileMode.Open))
                {
                    const int InTheFirstEvents = 8192 + 100;
                    file.Position = InTheFirstEvents;
                    var there = file.ReadByte();
                    file.Position = InTheFirstEvents;
                    file.WriteByte((byte)(there ^ 4));
                }

                break;
        }
    }

    /// <summary>What the writer of one segment, and no other, says to an append; null: nothing.</summary>
    private async Task<AppendResult?> ToldByAsync(ChainSegment segment)
    {
        var writer = cluster.Silos.Grains.GetGrain<ISegmentGrain>(segment.Id, segment.Primary);
        var batch = EventBatch.Of(new EventData("zombie", "loaded", new byte[10]));
        try
        {
            return await writer.Append(new AppendRequest { Batches = Block.Of(batch) });
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            return null;
        }
    }

    private async Task<SiloProcess> PrimaryAsync(ReplicatedLoad load) => cluster.Silo((await ReplicatedCluster.WriteSegmentAsync(load.Log)).Primary);
}
