using System.Diagnostics;
using System.Globalization;
using KawaOrleans.Faults.Tests.Importing;
using KawaOrleans.Faults.Tests.Silos;
using Xunit.Abstractions;

namespace KawaOrleans.Faults.Tests.Soaking;

/// <summary>Truth under load. One round by default; <c>KAWA_SOAK_MINUTES</c> makes rounds for so long (5 is the full form), <c>KAWA_FAULT_SEED</c>
/// appends the same data again. Alone among the tests of its project: it loads the machine, and looks at memory.</summary>
[Trait("Category", "Soak"), Collection(Alone)]
public sealed class SoakTests(ITestOutputHelper output)
{
    public const string Alone = "soak";

    private const int BatchesInAPhase = 200;

    /// <summary>Handles beyond those of the load itself: connections of clients that are no longer there, or the files of segments, would be more.</summary>
    private const int HandlesTolerated = 32;

    /// <summary>Memory beyond what the silo had when the load began: code that was compiled since, the ids that the writers of three logs remember, the pools
    /// of arrays. An idle silo gives back all else, after half a minute. One round shows only a gross leak; minutes show one of a byte in a hundred appended.</summary>
    private const long BytesTolerated = 256L << 20;

    private readonly Stopwatch _clock = Stopwatch.StartNew();

    [Fact]
    public async Task Nothing_acknowledged_is_lost_and_nobody_sees_a_gap_under_load_N1_A1()
    {
        var seed = Setting("KAWA_FAULT_SEED", Environment.TickCount & 0xFFFF);
        output.WriteLine($"seed {seed}");
        await using var cluster = await SiloProcesses.StartAsync();
        try
        {
            await SoakAsync(cluster, seed, TimeSpan.FromMinutes(Setting("KAWA_SOAK_MINUTES", 0)));
        }
        catch
        {
            foreach (var line in cluster.All.SelectMany(static silo => silo.Output.TakeLast(60)))
            {
                output.WriteLine(line);
            }

            throw;
        }
    }

    private async Task SoakAsync(SiloProcesses cluster, int seed, TimeSpan time)
    {
        using var soak = new Soak(cluster, seed);
        await soak.StartAsync();
        await soak.ProgressAsync(soak.All, 2 * BatchesInAPhase);
        var loaded = Footprint.Of(cluster.First.ProcessId);
        Say($"under load; {cluster.First.Node}: {loaded}");
        var round = 0;
        do
        {
            await soak.KillClientAsync();
            await soak.ProgressAsync(soak.All, BatchesInAPhase);
            Say("a client was killed");
            await RefuseOversizedAsync(soak.All[0]);
            await StopAndStartAsync(soak, cluster, round++);
            Say($"a silo was stopped and started; {soak.Acknowledged} batches; {cluster.First.Node}: {Footprint.Of(cluster.First.ProcessId)}");
        }
        while (_clock.Elapsed < time);

        Assert.Empty(await soak.FinishAsync(Say));
        foreach (var log in soak.All)
        {
            var segments = (await log.DescribeAsync()).Chain.Segments.Count;
            Assert.True(segments > 2, $"{log.Name} has {segments} segments: it was to roll");
        }

        await SettleAsync(cluster.First, loaded);
    }

    private static async Task StopAndStartAsync(Soak soak, SiloProcesses cluster, int round)
    {
        var (silo, others) = await ChooseAsync(soak, cluster, round);
        Assert.Equal(0, await silo.StopAsync(Patience.Limit));
        await soak.ProgressAsync(others, BatchesInAPhase);
        await silo.StartAsync(SiloProcesses.StartLimit);
        await soak.ProgressAsync(soak.All, BatchesInAPhase);
    }

    /// <summary>One of the silos that write a log, not the first, with the logs that others write. Each roll may bring a log to another silo, so for a moment none may.</summary>
    private static async Task<(SiloProcess Silo, List<ILog> Others)> ChooseAsync(Soak soak, SiloProcesses cluster, int round)
    {
        using var late = new CancellationTokenSource(Patience.Limit);
        while (true)
        {
            var writers = new Dictionary<ILog, string?>();
            foreach (var log in soak.All)
            {
                writers.Add(log, await Soak.WriterOfAsync(log));
            }

            if (cluster.All.Skip(1).Where(silo => writers.ContainsValue(silo.Node)).ToList() is { Count: > 0 } writing)
            {
                var silo = writing[round % writing.Count];
                return (silo, [.. soak.All.Where(log => writers[log] != silo.Node)]);
            }

            Assert.False(late.IsCancellationRequested, $"the logs are written by {string.Join(", ", writers.Values)}: none but the first silo could be stopped");
            await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None);
        }
    }

    /// <summary>What is too large for any message, or for this log, is refused before it is sent: the others' progress shows that no connection broke.</summary>
    private static async Task RefuseOversizedAsync(ILog log)
    {
        Assert.Throws<BatchRefusedException>(static () => EventBatch.Of(new EventData("large", "soaked", new byte[Limits.MaxEventBytes])));
        await Assert.ThrowsAsync<RequestRefusedException>(() => log.AppendAsync(new EventData("large", "soaked", new byte[7 << 20])));
    }

    /// <summary>The silo that was never stopped gives back what the load took.</summary>
    private async Task SettleAsync(SiloProcess silo, Footprint loaded)
    {
        using var late = new CancellationTokenSource(Patience.Limit);
        while (true)
        {
            var now = Footprint.Of(silo.ProcessId);
            if (now.Handles <= loaded.Handles + HandlesTolerated && now.OwnBytes <= loaded.OwnBytes + BytesTolerated)
            {
                Say($"{silo.Node} settled: {now}; under load {loaded}");
                return;
            }

            Assert.False(late.IsCancellationRequested, $"{silo.Node} keeps {now}; under load it had {loaded}");
            await Task.Delay(TimeSpan.FromMilliseconds(250), CancellationToken.None);
        }
    }

    private void Say(string what) => output.WriteLine($"{_clock.Elapsed.TotalSeconds:F1} s: {what}");

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}

[CollectionDefinition(SoakTests.Alone, DisableParallelization = true)]
public sealed class SoakAlone;
