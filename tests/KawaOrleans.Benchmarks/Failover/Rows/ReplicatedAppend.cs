using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Failover.Rows;

/// <summary>The same appends to a log of three replicas and to one of one, on one machine: three syncs share a disk, three silos its processors.</summary>
internal static class ReplicatedAppend
{
    private const string Three = "3/2";
    private const string One = "1/1";

    public static Row Row { get; } = new("append", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        if (run.Wants("append.batch"))
        {
            yield return Compare(run, "append.batch", "durable batches of 1,000, 8 callers, 3/2 vs 1/1", Goal.AtLeast(0.25, 0.4), 8,
                static () => SampleEvents.Batch(), SampleEvents.BatchEvents);
        }

        if (run.Wants("append.single"))
        {
            yield return Compare(run, "append.single", "single durable appends, 64 callers, 3/2 vs 1/1", Goal.AtLeast(0.3, 0.5), 64,
                static () => SampleEvents.Single(), 1);
        }
    }

    private static Figure Compare(Run run, string id, string title, Goal goal, int callers, Func<EventBatch> batch, int events)
    {
        var cluster = ThreeSilos.Of(run);
        var (three, segment) = cluster.NewReplicatedLog();
        var one = cluster.NewLog("single");
        var found = Rounds.Compare(run.Pick(2, 3), run.Pick(3, 5), Side(Three, three), Side(One, one));
        var written = Wait.For(() => cluster.Directory(three).GetChain());
        return new Figure
        {
            Id = id, Title = title, Unit = Unit.Times, Goal = goal, Value = found.Ratio(Three, One),
            Detail = $"{found.Describe(Three, One, UnitText.PerSecond)}; {written.Segments.Count} segments, "
                + $"{written.Segments.Count(other => other.Ensemble.Count < 3)} of them on fewer than three nodes, "
                + $"{written.Segments.Count(other => other.Primary != segment.Primary)} written elsewhere than the first",
        };

        Side Side(string name, ILog log) => new(name, () => Callers.Rate(callers, run.RoundTime, _ => log.AppendAsync(batch()), events));
    }
}
