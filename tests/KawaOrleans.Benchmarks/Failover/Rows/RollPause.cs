using System.Diagnostics;
using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Failover.Rows;

/// <summary>One caller appends through planned rolls of a log of three replicas: how long does the append take that finds a segment full?</summary>
internal static class RollPause
{
    private const long SegmentBytes = 1 << 20;
    private const int EventBytes = 16 * 1024;

    // The first rolls of a process compile what they run: told apart.
    private const int FirstRolls = 2;

    public static Row Row { get; } = new("roll", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = ThreeSilos.Of(run);
        var (log, _) = cluster.NewReplicatedLog(ThreeSilos.Replicated with { SegmentBytes = SegmentBytes });
        var data = new byte[EventBytes];
        var taken = new Dictionary<long, double>();
        for (var i = 0; i < run.Pick(800, 2000); i++)
        {
            var batch = EventBatch.Of(new EventData("rolled", "filled", data) { Id = Guid.NewGuid() });
            var began = Stopwatch.GetTimestamp();
            var appended = Wait.For(() => log.AppendAsync(batch));
            taken[appended.First] = Stopwatch.GetElapsedTime(began).TotalSeconds;
        }

        var bases = Wait.For(() => cluster.Directory(log).GetChain()).Segments.Skip(1).Select(segment => segment.Base).ToHashSet();
        var rolls = taken.Where(append => bases.Contains(append.Key)).OrderBy(append => append.Key).Select(append => append.Value).ToArray();
        var (first, pauses) = (rolls.Take(FirstRolls).Max(), rolls.Skip(FirstRolls).ToArray());
        var plain = Comparison.MedianOf([.. taken.Where(append => !bases.Contains(append.Key)).Select(append => append.Value)]);
        var sync = FrameworkLimit.Sync(run).Round().Value;
        var swap = Swap(run);

        // A plain append is the round trip and the syncs of primary and follower in one.
        var parts = plain + swap;
        yield return new Figure
        {
            Id = "roll.longest", Title = "longest append across a planned roll, 3/2, vs an append beside rolls and a chain swap", Unit = Unit.Times,
            Goal = Goal.AtMost(3), Value = pauses.Max() / parts,
            Detail = $"{pauses.Length} rolls: median {UnitText.Seconds(Comparison.MedianOf(pauses))}, longest {UnitText.Seconds(pauses.Max())} "
                + $"(of the first {FirstRolls}, which compile what they run, {UnitText.Seconds(first)}); append {UnitText.Seconds(plain)}, chain swap {UnitText.Seconds(swap)}, one sync {UnitText.Seconds(sync)}",
        };
    }

    /// <summary>What the embedded chain store does for one swap: a small file written, synced, renamed, and its directory synced.</summary>
    private static double Swap(Run run)
    {
        var folder = run.Scratch.Folder("swap");
        var (path, bytes) = (Path.Combine(folder, "record"), new byte[2048]);
        var seconds = new double[run.Pick(20, 100)];
        for (var i = 0; i < seconds.Length; i++)
        {
            var began = Stopwatch.GetTimestamp();
            using (var file = File.OpenHandle(path + ".new", FileMode.Create, FileAccess.Write))
            {
                RandomAccess.Write(file, bytes, 0);
                RandomAccess.FlushToDisk(file);
            }

            File.Move(path + ".new", path, overwrite: true);

            // In the place of the directory, which .NET does not open: it is in the file system's journal as well.
            using (var renamed = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite))
            {
                RandomAccess.Write(renamed, bytes, bytes.Length);
                RandomAccess.FlushToDisk(renamed);
            }

            seconds[i] = Stopwatch.GetElapsedTime(began).TotalSeconds;
        }

        Scratch.Remove(folder);
        return Comparison.MedianOf(seconds);
    }
}
