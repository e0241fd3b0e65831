using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Cluster.Rows;

/// <summary>What a long chain costs: the same calls to a log with many sealed segments and to one with hardly any.</summary>
internal static class CostGrowth
{
    /// <summary>Fewer than one small segment takes, so that the median knows nothing of rolling.</summary>
    private const int Appends = 200;
    private const int Reads = 500;
    private const string Long = "long chain";
    private const string Short = "short chain";

    private static readonly LogOptions Small = new() { SegmentBytes = Limits.MinSegmentBytes };

    public static Row Row { get; } = new("growth", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = OneSilo.Of(run);
        var segments = run.Pick(200, 1000);
        var longLog = cluster.NewLog("long", Small);
        var chain = FilledLog.Grow(longLog, segments);
        var events = chain.Segments[^1].Base;
        var rounds = run.Pick(5, 9);
        var appends = Rounds.Compare(
            2, rounds, new Side(Long, () => AppendSeconds(longLog)), new Side(Short, () => AppendSeconds(Fresh(cluster))));
        yield return Of("append", "appending one event", appends);
        var shortLog = Fresh(cluster);
        FilledLog.Grow(shortLog, 1);

        // Each segment once: its first read brings grain, map and footer, whatever the length of the chain.
        var touched = 0;
        var first = Callers.MedianSeconds(chain.Segments.Count, async () => Expect.Event(await longLog.TryReadAsync(chain.Segments[touched++].Base)));
        var reads = Rounds.Compare(
            2, rounds, new Side(Long, () => ReadSeconds(longLog, events)), new Side(Short, () => ReadSeconds(shortLog, events: 200)));
        yield return Of("read", "reading one event by position", reads, $"; the first read of a segment {UnitText.Seconds(first)}");

        Figure Of(string id, string what, Comparison found, string more = "") => new()
        {
            Id = $"growth.{id}",
            Title = $"{what} with {segments} sealed segments vs with 1, 1 caller, median",
            Unit = Unit.Times,
            Goal = Goal.AtMost(1.2, 1.05),
            Value = found.Ratio(Long, Short),
            Detail = found.Describe(Long, Short, UnitText.Seconds) + more + (segments < 1000 ? "; quick: not the 1,000 segments that are asked for" : ""),
        };
    }

    private static ILog Fresh(SiloCluster cluster)
    {
        var log = cluster.NewLog("short", Small);
        Wait.For(() => log.AppendAsync(SampleEvents.Single()));
        return log;
    }

    private static double AppendSeconds(ILog log) => Callers.MedianSeconds(Appends, () => log.AppendAsync(SampleEvents.Single()));

    private static double ReadSeconds(ILog log, long events) =>
        Callers.MedianSeconds(Reads, async () => Expect.Event(await log.TryReadAsync(Random.Shared.NextInt64(events))));
}
