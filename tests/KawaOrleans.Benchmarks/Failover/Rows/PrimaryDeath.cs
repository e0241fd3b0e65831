using System.Diagnostics;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Failover.Rows;

/// <summary>kill -9 of the silo that writes a log of three replicas, under load: how long is nothing acknowledged? And is everything there that was?</summary>
internal static class PrimaryDeath
{
    private const int Callers = 16;
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan After = TimeSpan.FromSeconds(5);

    public static Row Row { get; } = new("primary", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = ThreeSilos.Of(run);
        var pauses = new List<double>();
        var acknowledged = 0L;
        for (var round = 0; round < run.Pick(3, 20); round++)
        {
            var (log, segment) = cluster.NewReplicatedLog();
            var times = new AppendTimes(log, Callers);
            Thread.Sleep(Before);
            var killed = Stopwatch.GetTimestamp();
            cluster.SiloOf(segment.Primary).Kill();
            Thread.Sleep(After);
            var appends = times.Stop();

            // The longest time between two acknowledgements after the kill, the kill itself taken for the first.
            var told = appends.Select(static append => append.Told).Where(at => at > killed).Prepend(killed).ToList();
            pauses.Add(told.Zip(told.Skip(1), static (one, next) => Stopwatch.GetElapsedTime(one, next).TotalSeconds).DefaultIfEmpty(double.PositiveInfinity).Max());
            cluster.SiloOf(segment.Primary).Start();
            acknowledged += Audit.Whole(cluster, log, appends);
        }

        var detail = $"{pauses.Count} kills under {Callers} callers, each append acknowledged in the end: {string.Join(", ", pauses.Order().Select(UnitText.Seconds))}; "
            + $"{acknowledged} acknowledged events read back, each once and in its place";
        yield return new Figure
        {
            Id = "primary.median", Title = "writes unavailable after kill -9 of the primary's silo, median", Unit = Unit.Seconds,
            Goal = Goal.AtMost(2, 0.5), Value = Comparison.MedianOf(pauses), Detail = detail,
        };
        yield return new Figure
        {
            Id = "primary.longest", Title = "writes unavailable after kill -9 of the primary's silo, longest", Unit = Unit.Seconds,
            Goal = Goal.AtMost(6, 2), Value = pauses.Max(), Detail = detail,
        };
    }
}
