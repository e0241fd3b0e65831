using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Streams.Rows;

/// <summary>What a silo keeps in memory of its own while a log gets as many streams as it gets events.</summary>
internal static class ManyStreams
{
    private const int InFlight = 4;
    private const int Samples = 20;

    public static Row Row { get; } = new("memory", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        using var cluster = new SiloCluster(run, 1, isPatient: true);
        var log = cluster.NewLog("many-streams");
        var streams = run.Pick(1_000_000, 10_000_000);
        var idle = ProcFile.OwnBytes(cluster.Silos[0].ProcessId);
        var most = 0.0;
        for (var sample = 0; sample < Samples; sample++)
        {
            var next = (streams / Samples * sample) - 1;
            var end = streams / Samples * (sample + 1);
            Wait.For(() => Task.WhenAll(Enumerable.Range(0, InFlight).Select(async _ =>
            {
                while (Interlocked.Add(ref next, SampleEvents.BatchEvents) is var last && last < end)
                {
                    await log.AppendAsync(EventBatch.Encode(
                        [.. Enumerable.Range(last + 1 - SampleEvents.BatchEvents, SampleEvents.BatchEvents).Select(n => SampleEvents.In($"orders-{n:000000000}"))]));
                }
            })));
            most = Math.Max(most, ProcFile.OwnBytes(cluster.Silos[0].ProcessId));
        }

        yield return new Figure
        {
            Id = "memory.streams",
            Title = UnitText.Text($"silo memory of its own while a log got {streams / 1e6:0} M streams: the most"),
            Unit = Unit.Mebibytes,
            Goal = Goal.AtMost(1L << 30, 256L << 20),
            Value = most,
            Detail = $"before {Unit.Mebibytes.Write(idle)}; resident, without mapped files{(run.Quick ? "; quick: not the 10 M streams that are asked for" : "")}",
        };
    }
}
