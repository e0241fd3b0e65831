using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Cluster.Rows;

/// <summary>One event by its position, anywhere in the log.</summary>
internal static class PointRead
{
    private const int InFlight = 64;
    private const string Read = "reads";

    public static Row Row { get; } = new("read.point", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = OneSilo.Of(run);
        var filled = FilledLog.Of(run);
        var found = Rounds.Compare(
            run.Pick(2, 3),
            run.Pick(5, 9),
            new Side(Read, () => Callers.Rate(InFlight, run.RoundTime, async _ => Expect.Event(await filled.Log.TryReadAsync(Random.Shared.Next(filled.Events))))),
            FrameworkLimit.NoOp(cluster, run, InFlight),
            FrameworkLimit.Answer(cluster, run, InFlight));
        yield return new Figure
        {
            Id = "read.point.64",
            Title = "one event by position, 64 in flight, vs no-op calls",
            Unit = Unit.Times,
            Goal = Goal.AtLeast(0.5, 0.8),
            Value = found.Ratio(Read, FrameworkLimit.NoOpName),
            OfLimit = found.Ratio(Read, FrameworkLimit.NoOpName),
            Detail = found.Describe(Read, FrameworkLimit.NoOpName, UnitText.PerSecond),
        };
        yield return new Figure
        {
            Id = "read.point.bytes",
            Title = "the same vs calls that are answered with as many bytes and look at none",
            Unit = Unit.Times,
            Value = found.Ratio(Read, FrameworkLimit.AnswerName),
            Detail = found.Describe(Read, FrameworkLimit.AnswerName, UnitText.PerSecond),
        };
    }
}
