using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Cluster.Rows;

/// <summary>The same number of the same events as a range of many segments, and as a range of one.</summary>
internal static class SegmentedQuery
{
    private const int Segments = 16;
    private const int Silos = 3;
    private const int RoundCount = 5;
    private const string Many = "16 segments";
    private const string One = "1 segment";
    private const int FillStep = 20_000;

    public static Row Row { get; } = new("query.segments", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        using var cluster = new SiloCluster(run, Silos);
        var many = cluster.NewLog("many", new LogOptions { SegmentBytes = run.Pick(1, 4) << 20 });
        var chain = FillUntil(many, static c => c.Segments.Count > Segments);
        var manyRange = new RangeQuery { From = chain.Segments[0].Base, To = chain.Segments[Segments - 1].End!.Value };
        var events = manyRange.To - manyRange.From;
        var one = cluster.NewLog("one");
        var whole = FillUntil(one, c => c.Segments.Any(s => s.End - s.Base >= events)).Segments.First(s => s.End - s.Base >= events);
        var oneRange = new RangeQuery { From = whole.Base, To = whole.Base + events };
        var found = Rounds.Compare(
            2,
            RoundCount,
            Side.WaitingRate(Many, events, async () => Expect.Count(events, await CountAsync(many, manyRange))),
            Side.WaitingRate(One, events, async () => Expect.Count(events, await CountAsync(one, oneRange))));
        var nodes = chain.Segments.Take(Segments).Select(s => s.Primary).Distinct().Count();
        yield return new Figure
        {
            Id = "query.segments.16",
            Title = $"range query over {Segments} segments vs 1, {Silos} silos",
            Unit = Unit.Times,
            Goal = Goal.AtLeast(0.95),
            Value = found.Ratio(Many, One),
            Detail = $"{found.Describe(Many, One, UnitText.PerSecond)}; {events} events; the {Segments} segments lie on {nodes} of {Silos} silos: a log stays where it is",
        };
    }

    private static Chain FillUntil(ILog log, Func<Chain, bool> isFull)
    {
        while (true)
        {
            FilledLog.Fill(log, FillStep);
            var chain = Wait.For(() => log.DescribeAsync()).Chain;
            if (isFull(chain))
            {
                return chain;
            }
        }
    }

    private static async Task<long> CountAsync(ILog log, RangeQuery query)
    {
        var count = 0L;
        await foreach (var e in log.QueryAsync(query))
        {
            count += e.Data.Length == SampleEvents.DataBytes ? 1 : 0;
        }

        return count;
    }
}
