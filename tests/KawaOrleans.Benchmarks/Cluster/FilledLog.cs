using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;

namespace KawaOrleans.Benchmarks.Cluster;

/// <summary>A log to read: every hundredth event is of a rare type.</summary>
internal sealed class FilledLog : IDisposable
{
    public const string RareType = "order-lost!!";
    private const int RareEvery = 100;
    private const int InFlight = 4;

    private FilledLog(ILog log, int events)
    {
        Log = log;
        Events = events;
    }

    public ILog Log { get; }

    public int Events { get; }

    public int RareEvents => Events / RareEvery;

    /// <summary>The one that the rows with one silo share.</summary>
    public static FilledLog Of(Run run) => run.Fixtures.Get(() =>
    {
        var events = run.Pick(300_000, 2_000_000);
        var log = OneSilo.Of(run).NewLog("filled");
        Fill(log, events);
        return new FilledLog(log, events);
    });

    /// <summary>Appends so many events in batches of 1,000.</summary>
    public static void Fill(ILog log, int events)
    {
        var left = events / SampleEvents.BatchEvents;
        Wait.For(() => Task.WhenAll(Enumerable.Range(0, InFlight).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await log.AppendAsync(EventBatch.Encode([.. Enumerable.Range(0, SampleEvents.BatchEvents)
                    .Select(n => SampleEvents.Next(n % RareEvery == 0 ? RareType : SampleEvents.Type))]));
            }
        })));
    }

    /// <summary>Appends until more than so many segments are in the chain, and answers with it.</summary>
    public static Chain Grow(ILog log, int sealedSegments)
    {
        while (true)
        {
            Fill(log, 10 * SampleEvents.BatchEvents);
            var chain = Wait.For(() => log.DescribeAsync()).Chain;
            if (chain.Segments.Count > sealedSegments)
            {
                return chain;
            }
        }
    }

    public void Dispose()
    {
        // It goes with its cluster.
    }
}
