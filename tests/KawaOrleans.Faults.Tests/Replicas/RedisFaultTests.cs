using System.Diagnostics;
using System.Text;
using KawaOrleans.Cli;
using KawaOrleans.Faults.Tests.Importing;
using KawaOrleans.Faults.Tests.Silos;
using KawaOrleans.Tests.Redis;
using Xunit.Abstractions;

namespace KawaOrleans.Faults.Tests.Replicas;

/// <summary>Three silo processes with chains and membership in a real Redis: no silo is the first, so any can die. One round each by default;
/// <c>KAWA_FAULT_ROUNDS</c> for more.</summary>
[Trait("Category", "Faults")]
public sealed class RedisFaultTests(RedisFaults faults, ITestOutputHelper output) : IClassFixture<RedisFaults>
{
    private const int After = 15;

    [SkippableFact]
    public async Task The_silo_that_was_started_first_is_killed_writes_go_on_and_it_returns_N3_A2()
    {
        var (rounds, silos) = Begin();
        await rounds.RunAsync(async load =>
        {
            await silos.First.KillAsync();
            var died = Stopwatch.StartNew();
            await load.ProgressAsync(After);
            rounds.Say($"{silos.First.Node} killed; every caller had {After} more batches within {died.Elapsed.TotalSeconds:F1} s");
            await silos.First.StartAsync(SiloProcesses.StartLimit, orDegraded: true);

            // The others learnt of its return from the table: one of them can go now.
            await silos.All[1].KillAsync();
            await load.ProgressAsync(After);
            await silos.All[1].StartAsync(SiloProcesses.StartLimit, orDegraded: true);
        });
    }

    [SkippableFact]
    public async Task Redis_is_killed_appends_go_on_until_a_roll_waits_and_says_so_and_go_on_when_it_is_back_N3_A2()
    {
        var (rounds, _) = Begin();
        await rounds.RunAsync(async load =>
        {
            faults.Redis.Kill();
            var before = load.Acknowledged;
            await load.UntilAsync(
                () => load.LastFailures.Any(static said => said.Contains("chain store", StringComparison.OrdinalIgnoreCase)),
                () => $"a roll to wait and say so; {load.Acknowledged - before} batches since: {string.Join(" | ", load.LastFailures)}");
            rounds.Say($"{load.Acknowledged - before} batches without Redis, then: {load.LastFailures.First()}");
            Assert.True(load.Acknowledged > before);
            var died = Stopwatch.StartNew();
            faults.Redis.Start();
            await load.ProgressAsync(1);
            rounds.Say($"every caller went on {died.Elapsed.TotalSeconds:F1} s after it was started");
            await load.ProgressAsync(After);
        });
    }

    /// <summary>Those that return find a table in which all three are active, and wait until the third has not said for a while that it is.</summary>
    [SkippableFact]
    public async Task All_three_are_killed_at_once_and_two_return_N3_A2()
    {
        Skip.If(Environment.GetEnvironmentVariable("KAWA_FAULT_ROUNDS") is null, "Takes a quarter of a minute of waiting. KAWA_FAULT_ROUNDS=1 runs it.");
        var (rounds, silos) = Begin();
        await rounds.RunAsync(async load =>
        {
            await Task.WhenAll(silos.All.Select(static silo => silo.KillAsync()));
            var died = Stopwatch.StartNew();
            await Task.WhenAll(silos.All.Skip(1).Select(static silo => silo.StartAsync(SiloProcesses.StartLimit, orDegraded: true)));
            await load.ProgressAsync(After);
            rounds.Say($"two of three are back, and every caller went on within {died.Elapsed.TotalSeconds:F1} s");
            await silos.First.StartAsync(SiloProcesses.StartLimit, orDegraded: true);
            await load.ProgressAsync(After);
        });
    }

    /// <summary>The operator's way from a lost disk back to three whole replicas, as docs/OPERATIONS.md has it.</summary>
    [SkippableFact]
    public async Task A_node_whose_disk_is_lost_is_replaced_by_an_empty_directory_N3_A2()
    {
        var (rounds, silos) = Begin();
        var (lost, gateway) = (silos.First, $"{silos.All[1].Address}:{silos.All[1].GatewayPort}");
        ILog log = null!;
        await rounds.RunAsync(async load =>
        {
            log = load.Log;
            Assert.Equal((1, true), await KawaAsync("is alive", "replace-node", lost.Node, "--yes", "--gateway", gateway));
            await lost.KillAsync();
            Directory.Delete(lost.DataDirectory, recursive: true);
            await load.ProgressAsync(After);
            var refused = await Assert.ThrowsAnyAsync<Exception>(() => lost.StartAsync(SiloProcesses.StartLimit));
            Assert.Contains("kawa replace-node node-1", refused.Message, StringComparison.Ordinal);
            Assert.Equal((1, true), await KawaAsync("node-9", "replace-node", "node-9", "--yes", "--gateway", gateway));

            // The first gateway is the dead silo's: one that answers is enough.
            Assert.Equal((0, true), await KawaAsync("given up", "replace-node", lost.Node, "--yes", "--gateway", $"{lost.Address}:{lost.GatewayPort}", gateway));
            await lost.StartAsync(SiloProcesses.StartLimit, orDegraded: true);
            await load.ProgressAsync(After);
        });
        for (var waited = Stopwatch.StartNew(); await WhatIsMissingAsync(log) is { } missing; await Task.Delay(TimeSpan.FromMilliseconds(200)))
        {
            Assert.True(waited.Elapsed < Patience.Limit, $"waited {Patience.Limit} for three replicas of every segment: {missing}");
        }

        // Repeatable, and it takes nothing from the directory that took the name.
        Assert.Equal((1, true), await KawaAsync("is alive", "replace-node", lost.Node, "--yes", "--gateway", gateway));
        Assert.Equal((0, true), await KawaAsync($"Log '{log.Name}' has a chain", "rebuild", "--gateway", gateway));
    }

    private static async Task<string?> WhatIsMissingAsync(ILog log)
    {
        var description = await Patience.RunAsync(() => log.DescribeAsync());
        return description.Chain.Segments.FirstOrDefault(static segment => segment.End is not null && segment.Ensemble.Count < 3)?.ToString()
            ?? description.Replicas.Select(static replica => replica.Problem).FirstOrDefault(static problem => problem is not null);
    }

    private (FaultRounds Rounds, SiloProcesses Silos) Begin()
    {
        Skip.If(RedisProcess.WhyNot is not null, RedisProcess.WhyNot);
        return (new FaultRounds(faults.Cluster, output), faults.Cluster.Silos);
    }

    /// <summary>What the tool answers, and whether it says so.</summary>
    private async Task<(int Code, bool Says)> KawaAsync(string says, params string[] arguments)
    {
        using var bytes = new MemoryStream();
        await using var said = new StreamWriter(bytes, new UTF8Encoding(false));
        var code = await CommandTree.RunAsync(arguments, Terminal.Of(said, () => bytes, said, redirected: true));
        await said.FlushAsync();
        var text = Encoding.UTF8.GetString(bytes.ToArray());
        output.WriteLine($"kawa {string.Join(' ', arguments)}: {code}, {text}");
        return (code, text.Contains(says, StringComparison.Ordinal));
    }
}
