using System.Diagnostics;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Cluster.Rows;

/// <summary>Producers that hand over as fast as there is room, and wait for all outcomes at the end.</summary>
internal static class ProducerAppend
{
    private const string Append = "append";

    public static Row Row { get; } = new("append.producer", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        using var cluster = new SiloCluster(run, 1, isPatient: true);
        foreach (var (producers, batchEvents, goal) in ((int, int, Goal?)[])
            [(1, SampleEvents.BatchEvents, Goal.AtLeast(1e6, 2.5e6)), (10, SampleEvents.BatchEvents, Goal.AtLeast(1e6, 2.5e6)), (1, 1, null), (10, 1, null)])
        {
            var id = $"append.producer.{producers}{(batchEvents == 1 ? ".single" : "")}";
            if (!run.Wants(id))
            {
                continue;
            }

            var log = cluster.NewLog("producer");
            var processor = new ProcessorTime(cluster);
            var found = Rounds.Compare(
                run.Pick(2, 3),
                run.Pick(3, 5),
                new Side(Append, () => processor.Round(() => Callers.Rate(producers, _ => ProduceAsync(log, run.RoundTime, batchEvents)))),
                FrameworkLimit.Put(cluster, run));
            yield return new Figure
            {
                Id = id,
                Title = $"{producers} {(producers == 1 ? "producer" : "producers")}, durable, {(batchEvents == 1 ? "single events" : "batches of 1,000")}: events, encoding included",
                Unit = Unit.PerSecond,
                Goal = goal,
                Value = found.Median(Append),
                OfLimit = found.Ratio(Append, FrameworkLimit.PutName) * SampleEvents.StoredBytes,
                Detail = $"{processor.Describe()}; limit: {FrameworkLimit.PutName} {Unit.GibibytesPerSecond.Write(found.Median(FrameworkLimit.PutName))}; {found.Spread(Append, UnitText.PerSecond)}",
            };
        }
    }

    /// <summary>One producer for so long; answers how many events it brought to the log.</summary>
    private static async Task<double> ProduceAsync(ILog log, TimeSpan time, int batchEvents)
    {
        var started = Stopwatch.GetTimestamp();
        var events = 0L;
        Task<Appended>? last = null;
        await using (var producer = log.CreateProducer())
        {
            do
            {
                last = await producer.EnqueueAsync(batchEvents == 1 ? SampleEvents.Single() : SampleEvents.Batch(batchEvents));
                events += batchEvents;
            }
            while (Stopwatch.GetElapsedTime(started) < time);

            await producer.FlushAsync();
            await last;
        }

        return events;
    }
}
