using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Streams.Rows;

/// <summary>The first append to a stream that the write segment does not have: one last seen many segments ago, and one that never was.</summary>
internal static class FirstAppend
{
    /// <summary>Fewer appends than one small segment takes, so that the median knows nothing of rolling.</summary>
    private const int Appends = 100;
    private const string Cold = "cold";
    private const string Warm = "warm";
    private const string Long = "long chain";
    private const string Short = "short chain";

    private static readonly LogOptions Small = new() { SegmentBytes = Limits.MinSegmentBytes };

    public static Row Row { get; } = new("first", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = OneSilo.Of(run);
        var rounds = run.Pick(5, 9);
        var (coldSegments, longSegments) = (run.Pick(100, 500), run.Pick(200, 1000));
        var (longLog, shortLog) = (cluster.NewLog("long", Small), cluster.NewLog("short", Small));
        var warmStream = new ExpectedAppends(longLog, "warm");
        var cold = new Queue<string>(Enumerable.Range(0, Appends * (rounds + 2)).Select(n => $"cold-{n}"));
        foreach (var names in cold.Chunk(SampleEvents.BatchEvents))
        {
            Wait.For(() => longLog.AppendAsync(EventBatch.Encode([.. names.Select(SampleEvents.In)])));
        }

        FilledLog.Grow(longLog, coldSegments + (cold.Count / 300));
        if (run.Wants("first.cold"))
        {
            var found = Rounds.Compare(
                2,
                rounds,
                new Side(Cold, () => Callers.MedianSeconds(Appends, () => longLog.Stream(cold.Peek()).AppendAsync([SampleEvents.In(cold.Dequeue())], ExpectedRevision.StreamExists))),
                new Side(Warm, () => Callers.MedianSeconds(Appends, warmStream.NextAsync)));
            yield return new Figure
            {
                Id = "first.cold",
                Title = $"first append to a stream last seen {coldSegments} segments ago vs to one just written, 1 caller, median",
                Unit = Unit.Times,
                Goal = Goal.AtMost(3, 1.5),
                Value = found.Ratio(Cold, Warm),
                Detail = found.Describe(Cold, Warm, UnitText.Seconds) + (run.Quick ? "; quick: not the 500 segments that are asked for" : ""),
            };
        }

        if (run.Wants("first.new"))
        {
            FilledLog.Grow(longLog, longSegments);
            FilledLog.Grow(shortLog, 1);
            var next = 0;
            var found = Rounds.Compare(
                2,
                rounds,
                new Side(Long, () => Callers.MedianSeconds(Appends, () => New(longLog, $"new-{next++}"))),
                new Side(Short, () => Callers.MedianSeconds(Appends, () => New(shortLog, $"new-{next++}"))));
            yield return new Figure
            {
                Id = "first.new",
                Title = $"append to a never-seen stream with {longSegments} sealed segments vs with 1, 1 caller, median",
                Unit = Unit.Times,
                Goal = Goal.AtMost(1.5, 1.1),
                Value = found.Ratio(Long, Short),
                Detail = found.Describe(Long, Short, UnitText.Seconds) + (run.Quick ? "; quick: not the 1,000 segments that are asked for" : ""),
            };
        }
    }

    private static Task<AppendResult> New(ILog log, string stream) => log.Stream(stream).AppendAsync([SampleEvents.In(stream)], ExpectedRevision.NoStream);
}
