using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Cluster.Rows;

/// <summary>Batches of 1,000 events: encoded, sent, on disk, acknowledged.</summary>
internal static class BatchAppend
{
    private const string Append = "append";

    public static Row Row { get; } = new("append.batch", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = OneSilo.Of(run);
        foreach (var (callers, goal) in ((int, Goal?)[])[(8, Goal.AtLeast(1e6, 2.5e6)), (1, null)])
        {
            if (!run.Wants($"append.batch.{callers}"))
            {
                continue;
            }

            var log = cluster.NewLog("batch");
            var processor = new ProcessorTime(cluster);
            var found = Rounds.Compare(
                run.Pick(2, 3),
                run.Pick(3, 5),
                new Side(Append, () => processor.Round(() => Callers.Rate(callers, run.RoundTime, _ => log.AppendAsync(SampleEvents.Batch()), SampleEvents.BatchEvents))),
                FrameworkLimit.Put(cluster, run));
            yield return new Figure
            {
                Id = $"append.batch.{callers}",
                Title = $"durable batches of 1,000, {callers} in flight: events, encoding included",
                Unit = Unit.PerSecond,
                Goal = goal,
                Value = found.Median(Append),
                OfLimit = found.Ratio(Append, FrameworkLimit.PutName) * SampleEvents.StoredBytes,
                Detail = UnitText.Text($"{processor.Describe()}; {SampleEvents.StoredBytes} B per event sent; limit: {FrameworkLimit.PutName} {Unit.GibibytesPerSecond.Write(found.Median(FrameworkLimit.PutName))}; {found.Spread(Append, UnitText.PerSecond)}"),
            };
        }
    }
}
