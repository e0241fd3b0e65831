using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Cluster.Rows;

/// <summary>What a silo keeps in memory of its own while it takes many events.</summary>
internal static class SiloMemory
{
    private const int Samples = 20;

    public static Row Row { get; } = new("memory", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        using var cluster = new SiloCluster(run, 1, isPatient: true);
        var log = cluster.NewLog("large");
        var events = run.Pick(2_000_000, 50_000_000);
        var idle = ProcFile.OwnBytes(cluster.Silos[0].ProcessId);
        var used = new List<double>();
        for (var i = 0; i < Samples; i++)
        {
            FilledLog.Fill(log, events / Samples);
            used.Add(ProcFile.OwnBytes(cluster.Silos[0].ProcessId));
        }

        var early = Comparison.MedianOf(used[(Samples / 4)..(Samples / 2)]);
        var late = Comparison.MedianOf(used[(3 * Samples / 4)..]);
        var quick = run.Quick ? "; quick: not the 50 M events that are asked for" : "";
        yield return new Figure
        {
            Id = "memory.silo",
            Title = UnitText.Text($"silo memory of its own while it took {events / 1e6:0} M events in batches: the most"),
            Unit = Unit.Mebibytes,
            Goal = Goal.AtMost(300 << 20),
            Value = used.Max(),
            Detail = $"before {Unit.Mebibytes.Write(idle)}, after {Unit.Mebibytes.Write(used[^1])}; resident, without mapped files{quick}",
        };
        yield return new Figure
        {
            Id = "memory.growth",
            Title = "the same in the last quarter vs in the second: flat",
            Unit = Unit.Times,
            Goal = Goal.AtMost(1.1),
            Value = late / early,
            Detail = $"{Unit.Mebibytes.Write(early)}, then {Unit.Mebibytes.Write(late)}{quick}",
        };
    }
}
