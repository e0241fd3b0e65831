using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Streams.Rows;

/// <summary>A stream of 1,000 events among many others, over ten segments, against a stretch of as many events that lie one behind another.</summary>
internal static class ScatteredRead
{
    private const int Events = 1000;
    private const int Segments = 10;
    private const int Repeats = 20;
    private const string Scattered = "scattered stream";
    private const string Range = "range";

    public static Row Row { get; } = new("read", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = OneSilo.Of(run);
        var log = cluster.NewLog("scattered", new LogOptions { SegmentBytes = 1 << 20 });
        for (var written = 0; written < Events; written += Events / Segments)
        {
            var segments = Wait.For(() => log.DescribeAsync()).Chain.Segments.Count;
            for (var n = 0; n < Events / Segments; n++)
            {
                // Among forty others each.
                Wait.For(() => log.AppendAsync(EventBatch.Encode([SampleEvents.In("scattered"), .. Enumerable.Range(0, 40).Select(_ => SampleEvents.Next())])));
            }

            while (Wait.For(() => log.DescribeAsync()).Chain.Segments.Count <= segments)
            {
                FilledLog.Fill(log, SampleEvents.BatchEvents);
            }
        }

        var stream = log.Stream("scattered");
        var found = Rounds.Compare(
            2,
            run.Pick(5, 9),
            Side.WaitingRate(Scattered, Events * Repeats, async () => await RepeatAsync(() => stream.ReadAsync())),
            Side.WaitingRate(Range, Events * Repeats, async () => await RepeatAsync(() => log.QueryAsync(new RangeQuery { To = Events }))));
        yield return new Figure
        {
            Id = "read.scattered",
            Title = $"read a {Events}-event stream scattered over {Segments} segments vs a range of as many",
            Unit = Unit.Times,
            Goal = Goal.AtLeast(0.2, 0.5),
            Value = found.Ratio(Scattered, Range),
            Detail = found.Describe(Scattered, Range, UnitText.PerSecond),
        };
    }

    private static async Task RepeatAsync(Func<IAsyncEnumerable<RecordedEvent>> read)
    {
        for (var i = 0; i < Repeats; i++)
        {
            var count = 0L;
            await foreach (var e in read())
            {
                count += e.Data.Length == SampleEvents.DataBytes ? 1 : 0;
            }

            Expect.Count(Events, count);
        }
    }
}
