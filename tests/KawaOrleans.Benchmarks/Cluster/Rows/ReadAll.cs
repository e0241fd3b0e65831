using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Cluster.Rows;

/// <summary>A whole log to the client: as objects, and as verified blocks whose events nobody makes objects of.</summary>
internal static class ReadAll
{
    private const string Decoded = "decoded";
    private const string Raw = "raw";

    public static Row Row { get; } = new("read.all", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = OneSilo.Of(run);
        var filled = FilledLog.Of(run);
        var found = Rounds.Compare(
            1,
            run.Pick(3, 5),
            Side.WaitingRate(Decoded, filled.Events, async () =>
            {
                var count = 0;
                await foreach (var e in filled.Log.ReadAsync())
                {
                    count += e.Data.Length == SampleEvents.DataBytes ? 1 : 0;
                }

                Expect.Count(filled.Events, count);
            }),
            Side.WaitingRate(Raw, filled.Events, async () =>
            {
                var count = 0;
                await foreach (var block in filled.Log.ReadBlocksAsync())
                {
                    using (block)
                    {
                        foreach (var e in block)
                        {
                            count += e.Position >= 0 ? 1 : 0;
                        }
                    }
                }

                Expect.Count(filled.Events, count);
            }),
            FrameworkLimit.Get(cluster, run));
        foreach (var (side, goal, title) in ((string, Goal, string)[])[(Decoded, Goal.AtLeast(2e6, 4e6), "decoded on the client"), (Raw, Goal.AtLeast(5e6, 10e6), "as raw blocks, checksums verified")])
        {
            yield return new Figure
            {
                Id = $"read.all.{side}",
                Title = $"all {filled.Events / 1000} k events, {title}",
                Unit = Unit.PerSecond,
                Goal = goal,
                Value = found.Median(side),
                OfLimit = found.Ratio(side, FrameworkLimit.GetName) * SampleEvents.StoredBytes,
                Detail = $"limit: {FrameworkLimit.GetName} {Unit.GibibytesPerSecond.Write(found.Median(FrameworkLimit.GetName))}; {found.Spread(side, UnitText.PerSecond)}",
            };
        }
    }
}
