using System.Diagnostics;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Failover.Rows;

/// <summary>kill -9 of a follower's silo under load: the other two acknowledge.</summary>
internal static class FollowerDeath
{
    private const int CallerCount = 16;
    private static readonly TimeSpan Phase = TimeSpan.FromSeconds(3);

    public static Row Row { get; } = new("follower", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = ThreeSilos.Of(run);
        var ratios = new List<double>();
        var said = new List<string>();
        for (var round = 0; round < run.Pick(1, 5); round++)
        {
            var (log, segment) = cluster.NewReplicatedLog();
            var follower = segment.Ensemble.Select(node => node.Name).Single(node => node != segment.Primary && node != cluster.Silos[0].Node);
            var times = new AppendTimes(log, CallerCount);
            Thread.Sleep(Phase);
            var killed = Stopwatch.GetTimestamp();
            cluster.SiloOf(follower).Kill();
            Thread.Sleep(Phase);
            var appends = times.Stop();
            cluster.SiloOf(follower).Start();
            Audit.Whole(cluster, log, appends);
            var (before, after) = (P99(appends.Where(append => append.Told <= killed)), P99(appends.Where(append => append.Told > killed)));
            ratios.Add(after / before);
            said.Add($"{UnitText.Seconds(before)} before, {UnitText.Seconds(after)} after");
        }

        yield return new Figure
        {
            Id = "follower.p99", Title = $"p99 of appends by {CallerCount} callers after kill -9 of a follower's silo, vs before; none failed", Unit = Unit.Times,
            Goal = Goal.AtMost(10), Value = Comparison.MedianOf(ratios), Detail = string.Join("; ", said),
        };
    }

    private static double P99(IEnumerable<(long Began, long Told, long Position, Guid Id)> appends) => Callers.Percentile(
        [.. appends.Select(static append => Stopwatch.GetElapsedTime(append.Began, append.Told).TotalSeconds).Order()], 0.99);
}
