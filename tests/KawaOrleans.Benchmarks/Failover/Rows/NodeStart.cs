using System.Diagnostics;
using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Failover.Rows;

/// <summary>kill -9 of a node with many segments that have ended, start, and the first read of each end of the log and the first append.</summary>
internal static class NodeStart
{
    private const long SegmentBytes = 1 << 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static Row Row { get; } = new("start", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        using var cluster = new SiloCluster(run, 1, isPatient: true);
        var few = cluster.NewLog("few");
        Cluster.Rows.Restart.FirstWrite(few);
        var rounds = run.Pick(2, 5);
        var plain = Enumerable.Range(0, rounds).Select(_ => Ready(cluster, few)).ToList();
        var log = cluster.NewLog("many", new LogOptions { SegmentBytes = SegmentBytes });
        var segments = FilledLog.Grow(log, run.Pick(200, 1000)).Segments.Count - 1;
        var many = Enumerable.Range(0, rounds).Select(_ => Ready(cluster, log)).ToList();
        var quick = run.Quick ? "; quick: not the 1,000 segments that are asked for" : "";
        yield return new Figure
        {
            Id = "start.segments", Title = UnitText.Text($"start of a node with {segments:#,0} sealed segments of 1 MiB, after kill -9, until it serves reads and takes appends"),
            Unit = Unit.Seconds, Goal = Goal.AtMost(3, 1), Value = Comparison.MedianOf([.. many.Select(static start => start.Serving)]),
            Detail = $"{Say(many)}; the same process with one segment: {Say(plain)}; medians of {rounds} starts, files in the page cache{quick}",
        };
    }

    private static string Say(IReadOnlyCollection<(double Listening, double Reading, double Serving)> starts) =>
        $"{Median(starts.Select(static start => start.Listening))} until it takes connections, {Median(starts.Select(static start => start.Reading))} until a new client "
        + $"read its first event, {Median(starts.Select(static start => start.Serving))} until it appended";

    private static string Median(IEnumerable<double> seconds) => UnitText.Seconds(Comparison.MedianOf([.. seconds]));

    private static (double Listening, double Reading, double Serving) Ready(SiloCluster cluster, ILog log)
    {
        var silo = cluster.Silos[0];
        silo.Kill();
        var clock = Stopwatch.StartNew();
        silo.Start();
        var listening = clock.Elapsed.TotalSeconds;
        cluster.Connect();
        var again = cluster.Client.Log(log.Name);
        for (; ;)
        {
            try
            {
                Expect.Event(Wait.For(() => again.TryReadAsync(0)));
                break;
            }
            catch (KawaException e) when (e.IsRetryable && clock.Elapsed < Limit)
            {
                Thread.Sleep(TimeSpan.FromMilliseconds(10));
            }
        }

        var reading = clock.Elapsed.TotalSeconds;
        Cluster.Rows.Restart.FirstWrite(again);
        return (listening, reading, clock.Elapsed.TotalSeconds);
    }
}
