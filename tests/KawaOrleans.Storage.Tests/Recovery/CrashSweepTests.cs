using KawaOrleans.Storage.Tests.Simulation;
using Xunit.Abstractions;

namespace KawaOrleans.Storage.Tests.Recovery;

/// <summary>
/// Crash-point sweep on the simulated disk. Every prefix of the recorded operations of a workload is a crash; of what no sync
/// covered, sectors and pages are kept or dropped; each result is recovered, recovered again, written to and crashed again.
/// The default form fits an every-day run; <c>KAWA_SWEEP=full</c> tears every write at every sector and tries more seeds.
/// A failure names its point; it is the same in every run, since all seeds follow from the point.
/// </summary>
public sealed class CrashSweepTests(ITestOutputHelper output)
{
    private static readonly bool Full = Environment.GetEnvironmentVariable("KAWA_SWEEP") == "full";
    private static readonly int Seeds = Full ? 20 : 2;

    [Theory]
    [InlineData("append")]
    [InlineData("roll")]
    [InlineData("mapped")]
    [InlineData("roll with a spare made for another segment")]
    public async Task A_power_loss_at_any_point_keeps_what_was_acknowledged_and_invents_nothing(string workload)
    {
        var (operations, boundaries) = await RecordAsync(workload);

        // Between two syncs of a mapped segment lies much more, of which any part may be lost.
        var crashes = CrashPoints.PowerLosses(new SimulatedVolume(), operations, workload == "mapped" ? 4 * Seeds : Seeds, Full);
        await SweepAsync(boundaries, [], Rebooted(crashes), Kept(workload));
    }

    [Theory]
    [InlineData("append")]
    [InlineData("roll")]
    [InlineData("mapped")]
    [InlineData("roll with a spare made for another segment")]
    public async Task A_kill_at_any_point_keeps_what_was_acknowledged_and_invents_nothing(string workload)
    {
        var (operations, boundaries) = await RecordAsync(workload);

        await SweepAsync(boundaries, [], CrashPoints.Kills(new SimulatedVolume(), operations, Full), Verdict.Acknowledged);
    }

    /// <summary>Recovery writes too: it is cut short at each of its own operations, after each of a choice of crashes.</summary>
    [Theory]
    [InlineData("append")]
    [InlineData("roll")]
    [InlineData("mapped")]
    [InlineData("roll with a spare made for another segment")]
    public async Task A_power_loss_in_the_middle_of_recovery_changes_nothing_of_what_it_finds(string workload)
    {
        var (operations, boundaries) = await RecordAsync(workload);
        var powerLosses = Rebooted(CrashPoints.PowerLosses(new SimulatedVolume(), operations, seeds: 1, everySector: false)).Select(c => (c.Left, c.Notes, c.Where, Kept(workload)));
        var kills = CrashPoints.Kills(new SimulatedVolume(), operations, everySector: false).Select(c => (c.Left, c.Notes, c.Where, Verdict.Acknowledged));
        var choice = new Random(4711);
        var swept = 0;
        foreach (var (left, notes, where, promised) in powerLosses.Concat(kills).Where(_ => Full || choice.Next(25) == 0))
        {
            var start = left.AfterKill();
            left.Recorded = [];
            _ = new Verdict(boundaries, notes, promised).Check(left, new StillTime(), out _);
            var again = CrashPoints.PowerLosses(start, [.. left.Recorded], seeds: Full ? 3 : 1, everySector: false);
            swept += await SweepAsync(boundaries, notes, Rebooted(again), Kept(workload), where + ", then ", tell: false);
        }

        output.WriteLine($"{workload}: {swept} crashes in recovery");
        Assert.True(swept > 100);
    }

    /// <summary>
    /// A failed sync leaves pages that the cache shows as clean and the disk never took. Recovery took a checkpoint it found there,
    /// and the state sectors, for durable: after the next power loss events acknowledged since lay behind a hole.
    /// </summary>
    [Theory]
    [InlineData("append")]
    [InlineData("roll")]
    [InlineData("mapped")]
    [InlineData("roll with a spare made for another segment")]
    public async Task After_any_failed_sync_nothing_is_acknowledged_and_the_restart_trusts_no_page_of_the_cache(string workload)
    {
        var syncs = (await RecordAsync(workload)).Operations.Count(o => o.Kind is OperationKind.Sync or OperationKind.SyncDirectory);
        var swept = 0;
        for (var failing = 0; failing < syncs; failing++)
        {
            foreach (var survival in (Survival[])[Survival.None, Survival.Some(failing, 1), Survival.Some(failing, 8), Survival.All])
            {
                var volume = new SimulatedVolume { Recorded = [], FailedSyncSurvival = survival };
                var seen = 0;
                volume.Fault = o =>
                {
                    if (o.Kind is OperationKind.Sync or OperationKind.SyncDirectory && seen++ == failing)
                    {
                        throw new IOException("Input/output error");
                    }
                };
                var (boundaries, failure) = await RunAsync(volume, workload);
                var notes = volume.Recorded.Where(o => o.Kind == OperationKind.Note).Select(o => o.Path).ToList();

                var where = $"sync {failing} failed ({survival}): {failure?.GetType().Name}";
                swept += await SweepAsync(boundaries, notes, [(volume.AfterKill(), [], "restarted")], Verdict.Acknowledged, where + ", ", tell: false);
                swept += await SweepAsync(boundaries, notes, Rebooted([(volume.AfterPowerLoss(Survival.None), [], "power lost")]), Kept(workload), where + ", ", tell: false);
            }
        }

        output.WriteLine($"{workload}: {swept} restarts after a failed sync");
    }

    [Theory]
    [InlineData("append")]
    [InlineData("roll")]
    [InlineData("mapped")]
    public async Task A_workload_asks_the_same_of_the_disk_in_every_run(string workload)
    {
        var first = Asked(await RecordAsync(workload));
        for (var run = 0; run < 5; run++)
        {
            Assert.Equal(first, Asked(await RecordAsync(workload)));
        }

        // Which of the batches of a group is told of first changes nothing.
        static List<string> Asked((IReadOnlyList<Operation> Operations, IReadOnlyList<int> Boundaries) recorded) =>
            [.. recorded.Operations.Where(static o => o.Kind != OperationKind.Note).Select(static o => o.ToString())];
    }

    private async Task<int> SweepAsync(
        IReadOnlyList<int> boundaries, List<string> known, IEnumerable<(SimulatedVolume Left, List<string> Notes, string Where)> crashes,
        string promised, string prefix = "", bool tell = true)
    {
        var swept = 0;
        foreach (var (left, notes, where) in crashes)
        {
            try
            {
                await new Verdict(boundaries, [.. known, .. notes], promised).CheckAsync(left);
                swept++;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"crash {swept}, {prefix}{where}: {e.Message}", e);
            }
        }

        if (tell)
        {
            output.WriteLine($"{swept} crashes");
        }

        return swept;
    }

    /// <summary>What a power loss leaves of what was told.</summary>
    private static string Kept(string workload) => workload == "mapped" ? Verdict.Flushed : Verdict.Acknowledged;

    private static IEnumerable<(SimulatedVolume Left, List<string> Notes, string Where)> Rebooted(
        IEnumerable<(SimulatedVolume Left, List<string> Notes, string Where)> crashes) => crashes.Select(c => (Reboot.Of(c.Left), c.Notes, c.Where));

    private static async Task<(IReadOnlyList<Operation> Operations, IReadOnlyList<int> Boundaries)> RecordAsync(string workload)
    {
        var volume = new SimulatedVolume { Recorded = [] };
        var (boundaries, failure) = await RunAsync(volume, workload);
        Assert.Null(failure);
        return ([.. volume.Recorded], boundaries);
    }

    private static async Task<(IReadOnlyList<int> Boundaries, Exception? Failure)> RunAsync(SimulatedVolume volume, string name)
    {
        var workload = new Workload(volume, new StillTime());
        try
        {
            await (name switch
            {
                "append" => workload.AppendAsync(),
                "roll" => workload.RollAsync(spareFor: Workload.SecondId),
                "mapped" => workload.MappedAsync(),
                _ => workload.RollAsync(spareFor: new Guid("30000000-0000-0000-0000-000000000009")),
            });
            return (workload.Boundaries, null);
        }
        catch (IOException e)
        {
            return (workload.Boundaries, e);
        }
    }
}
