using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Streams.Rows;

/// <summary>Batches of 1,000 events over 100 streams, each stream expected at its exact revision, against batches in one stream that expect nothing.</summary>
internal static class ExactBatch
{
    private const string Exact = "100 streams, exact revisions";
    private const string Unexpected = "100 streams, nothing expected";
    private const string Plain = "plain";
    private const int Streams = 100;
    private const int InFlight = 4;

    public static Row Row { get; } = new("batch", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = OneSilo.Of(run);
        var (exactLog, unexpectedLog, plainLog) = (cluster.NewLog("exact"), cluster.NewLog("unexpected"), cluster.NewLog("plain"));
        var writers = Enumerable.Range(0, InFlight).Select(n => new Writer(exactLog, n)).ToArray();
        var found = Rounds.Compare(
            2,
            run.Pick(5, 9),
            new Side(Exact, () => Callers.Rate(InFlight, run.RoundTime, caller => writers[caller].NextAsync(), SampleEvents.BatchEvents)),
            new Side(Unexpected, () => Callers.Rate(InFlight, run.RoundTime, caller => unexpectedLog.AppendAsync(Over(writers[caller].Names)), SampleEvents.BatchEvents)),
            new Side(Plain, () => Callers.Rate(InFlight, run.RoundTime, _ => plainLog.AppendAsync(Over(["orders-000000000"])), SampleEvents.BatchEvents)));
        yield return new Figure
        {
            Id = "batch.exact",
            Title = $"batches of 1,000 over {Streams} streams, every one expected at its exact revision, vs plain batches",
            Unit = Unit.Times,
            Goal = Goal.AtLeast(0.6, 0.85),
            Value = found.Ratio(Exact, Plain),
            Detail = found.Describe(Exact, Plain, UnitText.PerSecond),
        };
        yield return new Figure
        {
            Id = "batch.unexpected",
            Title = "the same with nothing expected",
            Unit = Unit.Times,
            Value = found.Ratio(Unexpected, Plain),
            Detail = found.Describe(Unexpected, Plain, UnitText.PerSecond),
        };
    }

    private static EventBatch Over(string[] names) =>
        EventBatch.Encode([.. Enumerable.Range(0, SampleEvents.BatchEvents).Select(n => SampleEvents.In(names[n % names.Length]))]);

    /// <summary>Writes a hundred streams that nobody else writes.</summary>
    private sealed class Writer(ILog log, int number)
    {
        private readonly ExpectedRevision[] _expected = [.. Enumerable.Repeat(ExpectedRevision.NoStream, Streams)];

        public string[] Names { get; } = [.. Enumerable.Range(0, Streams).Select(n => $"orders-{number}{n:00000000}")];

        public async Task NextAsync()
        {
            var expected = StreamExpectations.Of([.. Names.Select((name, n) => new StreamExpectation(name, _expected[n]))]);
            var result = await log.AppendAsync(Over(Names), expected);
            var revisions = result is Appended { Revisions: { } given } ? given : throw new InvalidOperationException($"A batch whose streams nobody else writes was answered {result}.");
            for (var n = 0; n < Streams; n++)
            {
                _expected[n] = ExpectedRevision.Exactly(revisions[n]);
            }
        }
    }
}
