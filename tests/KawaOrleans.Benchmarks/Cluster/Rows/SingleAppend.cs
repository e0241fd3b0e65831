using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Cluster.Rows;

/// <summary>Callers that each append one event and wait until it is on disk.</summary>
internal static class SingleAppend
{
    private const string Append = "append";

    public static Row Row { get; } = new("append.single", Measure);

    public static IReadOnlyList<int> CallerCounts { get; } = [512, 64, 1];

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = OneSilo.Of(run);
        foreach (var callers in CallerCounts.Where(callers => run.Wants($"append.single.{callers}")))
        {
            var log = cluster.NewLog("single");
            var processor = new ProcessorTime(cluster);
            var sync = FrameworkLimit.Sync(run);
            var found = Rounds.Compare(
                run.Pick(2, 3),
                run.Pick(3, 5),
                new Side(Append, () => processor.Round(() => Callers.Rate(callers, run.RoundTime, _ => log.AppendAsync(SampleEvents.Single())))),
                FrameworkLimit.NoOp(cluster, run, callers),
                sync);
            var noOp = found.Median(FrameworkLimit.NoOpName);

            // One caller pays for the call and for the sync; many share syncs, so calls limit them.
            var limit = callers == 1 ? 1 / ((1 / noOp) + found.Median(sync.Name)) : noOp;
            yield return new Figure
            {
                Id = $"append.single.{callers}",
                Title = $"AppendAsync of one durable event, {callers} {(callers == 1 ? "caller" : "callers")}",
                Unit = Unit.PerSecond,
                Goal = callers switch
                {
                    512 => Goal.AtLeast(150e3, 400e3),
                    64 => Goal.AtLeast(85e3, 150e3),
                    _ => Goal.AtLeast(5e3, limit),
                },
                Value = found.Median(Append),
                OfLimit = found.Median(Append) / limit,
                Detail = UnitText.Text($"limit: {(callers == 1 ? "a no-op call and a sync" : FrameworkLimit.NoOpName)} {UnitText.PerSecond(limit)}; one sync {UnitText.Seconds(found.Median(sync.Name))}; {processor.Describe()}; {found.Spread(Append, UnitText.PerSecond)}"),
            };
        }
    }
}
