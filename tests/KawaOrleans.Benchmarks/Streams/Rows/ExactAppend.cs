using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Streams.Rows;

/// <summary>Callers that each append one event to a stream of their own, expecting its exact revision, against callers that expect nothing.</summary>
internal static class ExactAppend
{
    private const string Exact = "exact revision";
    private const string Plain = "plain";

    public static Row Row { get; } = new("exact", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = OneSilo.Of(run);
        foreach (var (callers, goal) in ((int, Goal)[])[(64, Goal.AtLeast(0.8, 0.95)), (1, Goal.AtLeast(0.9, 1.0))])
        {
            if (!run.Wants($"exact.{callers}"))
            {
                continue;
            }

            var (exactLog, plainLog) = (cluster.NewLog("exact"), cluster.NewLog("plain"));
            var streams = Enumerable.Range(0, callers).Select(n => new ExpectedAppends(exactLog, $"order-{n}")).ToArray();
            var found = Rounds.Compare(
                2,
                run.Pick(5, 9),
                new Side(Exact, () => Callers.Rate(callers, run.RoundTime, caller => streams[caller].NextAsync())),
                new Side(Plain, () => Callers.Rate(callers, run.RoundTime, _ => plainLog.AppendAsync(SampleEvents.Single()))));
            yield return new Figure
            {
                Id = $"exact.{callers}",
                Title = callers == 1
                    ? "one stream, exact revision, 1 caller, vs plain"
                    : $"durable exact-revision appends, {callers} callers on {callers} streams, vs plain single appends",
                Unit = Unit.Times,
                Goal = goal,
                Value = found.Ratio(Exact, Plain),
                Detail = found.Describe(Exact, Plain, UnitText.PerSecond),
            };
        }
    }
}
