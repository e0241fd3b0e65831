using System.Diagnostics;
using System.Globalization;
using KawaOrleans.Faults.Tests.Killing;
using KawaOrleans.Storage;
using Xunit.Abstractions;

namespace KawaOrleans.Faults.Tests;

/// <summary>The storage engine alone in a process that is killed, again and again on the same directory. Fifty rounds, with
/// <c>KAWA_SWEEP=full</c> five hundred; <c>KAWA_FAULT_SEED</c> chooses the moments again, as far as a real process repeats itself.</summary>
[Trait("Category", "Faults")]
public sealed class EngineKillTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>Then a new directory is begun: every round reads all that is in it.</summary>
    private const int RoundsInADirectory = 5;

    private readonly List<DirectoryInfo> _folders = [];

    public void Dispose() => _folders.ForEach(static folder => folder.Delete(recursive: true));

    [Fact]
    public async Task A_process_killed_in_mapped_and_durable_appends_loses_nothing_acknowledged()
    {
        var rounds = Environment.GetEnvironmentVariable("KAWA_SWEEP") == "full" ? 500 : 50;
        var seed = int.TryParse(Environment.GetEnvironmentVariable("KAWA_FAULT_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var given)
            ? given : Environment.TickCount & 0xFFFF;
        output.WriteLine($"KAWA_FAULT_SEED={seed}");
        var random = new Random(seed);
        var known = new Dictionary<NumberedLog, long>();
        var clock = Stopwatch.StartNew();
        for (var round = 0; round < rounds; round++)
        {
            if (round % RoundsInADirectory == 0)
            {
                known = NumberedLog.Both.ToDictionary(static log => log, static _ => 0L);
                _folders.Add(Directory.CreateTempSubdirectory("kawa-kill-"));
            }

            var moment = await RunAndKillAsync(known, random);
            Check(known, $"KAWA_FAULT_SEED={seed}, round {round}, killed {moment}");
        }

        output.WriteLine($"{rounds} kills in {clock.Elapsed.TotalSeconds:F0} s; the last directory holds {string.Join(", ", known.Select(static k => $"{k.Key.Letter}: {k.Value} events"))}");
    }

    [Fact]
    public async Task A_second_process_is_refused_the_directory_until_the_first_is_dead()
    {
        _folders.Add(Directory.CreateTempSubdirectory("kawa-kill-"));
        using var first = new ToldProcess(_folders[^1].FullName);
        await first.ToldAsync(NumberedLog.Durable.Letter, times: 1);

        Assert.Throws<DirectoryLockedException>(() => NodeStore.Open(_folders[^1].FullName, AppendingProcess.Node));

        // The one that is written at this moment: it may be sealed before its turn comes.
        Assert.True(SpinWait.SpinUntil(
            () => Array.Exists(SegmentFiles(), static file => Record.Exception(() => Segment.OpenReadOnly(file).Dispose()) is StorageException), TimeSpan.FromSeconds(30)));
        using var second = new ToldProcess(_folders[^1].FullName);
        var (code, said) = await second.EndAsync();
        Assert.Equal(AppendingProcess.Refused, code);
        Assert.Contains("in use by another process", said, StringComparison.Ordinal);

        await first.ToldAsync(NumberedLog.Durable.Letter, times: 3);
        await first.KillAsync();
        using var third = NodeStore.Open(_folders[^1].FullName, AppendingProcess.Node);
        Assert.True(NumberedLog.Durable.Audit(third).Events >= first.Number(NumberedLog.Durable.Letter));
    }

    private string[] SegmentFiles() => Directory.GetFiles(_folders[^1].FullName, "*.seg", SearchOption.AllDirectories);

    /// <summary>A file made ahead that no segment has claimed yet bears a magic of its own (docs/FORMAT.md).</summary>
    private static bool IsSpare(string file)
    {
        using var bytes = File.Open(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var sector = new byte[16];
        bytes.ReadExactly(sector);
        return sector.AsSpan(8).SequenceEqual("KAWA.SPR"u8);
    }

    /// <summary>Kills at the start and amid recovery too, mostly amid appends and rolls.</summary>
    private async Task<string> RunAndKillAsync(Dictionary<NumberedLog, long> known, Random random)
    {
        using var process = new ToldProcess(_folders[^1].FullName);
        var (letter, times) = random.Next(8) switch
        {
            0 => (AppendingProcess.Starting, 1),
            1 => (AppendingProcess.Recovered, 1),
            2 or 3 or 4 => (NumberedLog.Durable.Letter, random.Next(1, 100)),
            _ => (NumberedLog.Mapped.Letter, random.Next(1, 4_000)),
        };
        var spin = random.Next(200_000);
        await process.ToldAsync(letter, times);
        Thread.SpinWait(spin);
        await process.KillAsync();
        foreach (var log in NumberedLog.Both)
        {
            known[log] = Math.Max(known[log], process.Number(log.Letter));
        }

        return $"{spin} spins after '{letter}' was told {times} times";
    }

    /// <summary>Opened for reading, recovered and recovered again: all that was acknowledged, each time the same.</summary>
    private void Check(Dictionary<NumberedLog, long> known, string when)
    {
        var tails = new Dictionary<string, long>();
        foreach (var file in SegmentFiles().Where(static file => !IsSpare(file)))
        {
            using var segment = Segment.OpenReadOnly(file);
            tails[file] = segment.Tail.Position;
        }

        for (var recovery = 1; recovery <= 2; recovery++)
        {
            using var store = NodeStore.Open(_folders[^1].FullName, AppendingProcess.Node);
            Assert.All(store.Segments, segment => Assert.Equal(tails[segment.Path], segment.Tail.Position));
            Assert.Equal(tails.Count, store.Segments.Count);
            foreach (var log in NumberedLog.Both)
            {
                var (violations, events) = log.Audit(store);
                Assert.True(violations.Count == 0, $"{when}: {string.Join("; ", violations)}");
                Assert.True(events >= known[log], $"{when}: {known[log]} events of {log.Letter} were acknowledged, {events} are there");
                known[log] = events;
            }
        }
    }
}
