using System.Diagnostics;
using System.Globalization;
using KawaOrleans.Faults.Tests.Importing;
using KawaOrleans.Faults.Tests.Silos;
using Xunit.Abstractions;

namespace KawaOrleans.Faults.Tests;

/// <summary>Real silo processes and kill -9. One round runs by default; set <c>KAWA_FAULT_ROUNDS</c> for more, <c>KAWA_FAULT_SEED</c>
/// to import the same data again.</summary>
[Trait("Category", "Faults")]
public sealed class KillTests(ITestOutputHelper output)
{
    private const int Logs = 4;
    private const int BatchesBetweenKills = 25;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    /// <summary>In the middle of an import into four logs a silo is killed and comes back, then it is asked to stop and comes back: what
    /// was acknowledged is there, once and in order, also after all silos died at once. Logs on other nodes do not wait for it.</summary>
    [Fact]
    public async Task A_silo_killed_in_an_import_loses_nothing_acknowledged_N1_A1()
    {
        var seed = Setting("KAWA_FAULT_SEED", Environment.TickCount & 0xFFFF);
        output.WriteLine($"seed {seed}");
        await using var cluster = await SiloProcesses.StartAsync();
        Say("three silos are ready");
        try
        {
            var importers = await CreateAsync(cluster, seed);
            using var stop = new CancellationTokenSource();
            var imports = Task.WhenAll(importers.Select(importer => importer.RunAsync(stop.Token)));
            for (var round = 0; round < Setting("KAWA_FAULT_ROUNDS", 1); round++)
            {
                await ProgressAsync(imports, importers);
                var (victim, written, others) = await ChooseVictimAsync(cluster, importers);
                Say($"kill {victim.Node}, which writes {string.Join(", ", written.Select(static i => i.Log))}");
                await victim.KillAsync();
                await ProgressAsync(imports, others);
                Say("the others went on; start it");
                await victim.StartAsync(SiloProcesses.StartLimit);
                await ProgressAsync(imports, importers);
            }

            var stopped = cluster.All[^1];
            Say($"ask {stopped.Node} to stop");
            Assert.Equal(0, await stopped.StopAsync(Patience.Limit));
            await stopped.StartAsync(SiloProcesses.StartLimit);
            await ProgressAsync(imports, importers);

            await stop.CancelAsync();
            await imports;
            await AuditAsync(cluster.Client, importers);
            Say("kill all and start them");
            await cluster.KillAndRestartAllAsync();
            await AuditAsync(cluster.Client, importers);
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

    private void Say(string what) => output.WriteLine($"{_clock.Elapsed.TotalSeconds:F1} s: {what}");

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    private static async Task<IReadOnlyList<Importer>> CreateAsync(SiloProcesses cluster, int seed)
    {
        var importers = new List<Importer>();
        for (var i = 0; i < Logs; i++)
        {
            var name = $"import-{i}";

            // Small segments, so that every log rolls several times on the way.
            var log = await Patience.RunAsync(() => cluster.Client.CreateLogAsync(name, new LogOptions { SegmentBytes = 256 * 1024 }));
            importers.Add(new Importer(log, seed + i));

            // One log after the other opens its first segment, so that each sees where the ones before it lie.
            await importers[i].AppendOneAsync();
        }

        return importers;
    }

    /// <summary>A silo that writes one of the logs and does not keep the membership table, with the logs it writes and the rest.</summary>
    private static async Task<(SiloProcess Victim, List<Importer> Written, List<Importer> Others)> ChooseVictimAsync(
        SiloProcesses cluster, IReadOnlyList<Importer> importers)
    {
        var writers = new Dictionary<Importer, string?>();
        foreach (var importer in importers)
        {
            var description = await Patience.RunAsync(() => cluster.Client.Log(importer.Log).DescribeAsync());
            writers[importer] = description.Chain.WriteSegment?.Primary;
        }

        var victim = cluster.All.Skip(1).FirstOrDefault(silo => writers.ContainsValue(silo.Node));
        Assert.True(victim is not null, $"write segments are on {string.Join(", ", writers.Values)}: none but the first silo can be killed");
        return (
            victim,
            [.. importers.Where(importer => writers[importer] == victim.Node)],
            [.. importers.Where(importer => writers[importer] != victim.Node)]);
    }

    /// <summary>Waits until each of these imports had so many more batches acknowledged; fails when an import fails or time is up.</summary>
    private static async Task ProgressAsync(Task imports, IReadOnlyList<Importer> importers)
    {
        using var late = new CancellationTokenSource(Patience.Limit);
        var goals = importers.Select(static importer => (importer, importer.Acknowledged + BatchesBetweenKills)).ToList();
        while (goals.Exists(static goal => goal.importer.Acknowledged < goal.Item2))
        {
            if (imports.IsCompleted)
            {
                await imports;
            }

            Assert.False(late.IsCancellationRequested, $"no progress within {Patience.Limit}: {string.Join(", ", goals.Select(static g => $"{g.importer.Log} {g.importer.Acknowledged} of {g.Item2}"))}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), CancellationToken.None);
        }
    }

    private async Task AuditAsync(IEventStoreClient client, IReadOnlyList<Importer> importers)
    {
        foreach (var importer in importers)
        {
            var events = await ReadAllAsync(client.Log(importer.Log));
            Say($"{importer.Log}: {events.Count} events, {importer.Acknowledged} batches acknowledged, {importer.Attempts.Count - importer.Acknowledged} unknown, longest pause {importer.LongestPause.TotalSeconds:F1} s");
            var violations = LogAudit.Violations(events, importer.Attempts);
            Assert.True(violations.Count == 0, string.Join(Environment.NewLine, violations)); // Assert.Empty shortens what it shows
        }
    }

    /// <summary>Goes on behind the last event when a silo that has only just started does not answer in time.</summary>
    private static async Task<List<RecordedEvent>> ReadAllAsync(ILog log)
    {
        var events = new List<RecordedEvent>();
        return await Patience.RunAsync(async () =>
        {
            await foreach (var recorded in log.ReadAsync(events.Count))
            {
                events.Add(recorded);
            }

            return events;
        });
    }
}
