using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Cluster.Rows;

/// <summary>How long the slowest of a hundred waits.</summary>
internal static class SingleLatency
{
    private const int InFlight = 64;
    private const string Append = "append";
    private const string NoOp = "no-op call";

    public static Row Row { get; } = new("append.p99", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = OneSilo.Of(run);
        var log = cluster.NewLog("latency");
        var grain = FrameworkLimit.Grain(cluster);
        var halves = new List<double>();
        var found = Rounds.Compare(
            run.Pick(2, 3),
            run.Pick(3, 7),
            new Side(Append, () =>
            {
                var times = Callers.Times(InFlight, run.RoundTime, _ => log.AppendAsync(SampleEvents.Single()));
                halves.Add(Callers.Percentile(times, 0.5));
                return Callers.Percentile(times, 0.99);
            }),
            new Side(NoOp, () => Callers.Percentile(Callers.Times(InFlight, run.RoundTime, _ => grain.Ping().AsTask()), 0.99)));
        yield return new Figure
        {
            Id = "append.p99.64",
            Title = "AppendAsync of one durable event, 64 callers: p99",
            Unit = Unit.Seconds,
            Goal = Goal.AtMost(5e-3, 2e-3),
            Value = found.Median(Append),
            OfLimit = found.Ratio(NoOp, Append),
            Detail = $"median {UnitText.Seconds(Comparison.MedianOf(halves))}; limit: p99 of a {NoOp} {UnitText.Seconds(found.Median(NoOp))}; {found.Spread(Append, UnitText.Seconds)}",
        };
    }
}
