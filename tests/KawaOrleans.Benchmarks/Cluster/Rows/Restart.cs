using System.Diagnostics;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Cluster.Rows;

/// <summary>kill -9 with a million events, start, and the first append that is acknowledged.</summary>
internal static class Restart
{
    private const int Events = 1_000_000;

    public static Row Row { get; } = new("restart", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        using var cluster = new SiloCluster(run, 1);
        var log = cluster.NewLog("restarted");
        FilledLog.Fill(log, Events);
        var listening = new List<double>();
        var writing = new List<double>();
        for (var round = 0; round < run.Pick(1, 5); round++)
        {
            cluster.Silos[0].Kill();
            var clock = Stopwatch.StartNew();
            cluster.Silos[0].Start();
            listening.Add(clock.Elapsed.TotalSeconds);
            cluster.Connect();
            FirstWrite(cluster.Client.Log(log.Name));
            writing.Add(clock.Elapsed.TotalSeconds);
        }

        yield return new Figure
        {
            Id = "restart.first-write",
            Title = "kill -9 with 1 M events to the first accepted write",
            Unit = Unit.Seconds,
            Value = Comparison.MedianOf(writing),
            Detail = $"process start and recovery until it takes connections {UnitText.Seconds(Comparison.MedianOf(listening))}, then a new client connects and appends; {writing.Count} {(writing.Count == 1 ? "restart" : "restarts")}",
        };
    }

    /// <summary>The log's next event, repeated until it is accepted.</summary>
    public static void FirstWrite(ILog log)
    {
        for (var waited = Stopwatch.StartNew(); ;)
        {
            try
            {
                Wait.For(() => log.AppendAsync(SampleEvents.Single()));
                return;
            }
            catch (KawaException e) when (e.IsRetryable && waited.Elapsed < TimeSpan.FromSeconds(60))
            {
                Thread.Sleep(TimeSpan.FromMilliseconds(10));
            }
        }
    }
}
