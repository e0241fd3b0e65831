using System.Diagnostics;
using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;

namespace KawaOrleans.Benchmarks.Failover;

/// <summary>Three silos, shared by the rows that leave them running.</summary>
internal sealed class ThreeSilos(Run run) : SiloCluster(run, 3)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static LogOptions Replicated { get; } = new() { Replicas = 3, AckQuorum = 2 };

    public static ThreeSilos Of(Run run) => run.Fixtures.Get(() => new ThreeSilos(run));

    /// <summary>A log on all three silos that one of the second and the third writes. The first keeps the membership table in its memory, so it is the
    /// one that no round may kill.</summary>
    public (ILog Log, ChainSegment Segment) NewReplicatedLog(LogOptions? options = null)
    {
        for (var waited = Stopwatch.StartNew(); ;)
        {
            var log = NewLog("replicated", options ?? Replicated);
            try
            {
                Wait.For(() => log.AppendAsync(SampleEvents.Single()));
                var segment = Wait.For(() => Directory(log).GetChain()).WriteSegment!;
                if (segment.Ensemble.Count == 3 && segment.Primary != Silos[0].Node)
                {
                    return (log, segment);
                }
            }
            catch (KawaException) when (waited.Elapsed < Limit)
            {
                // A silo that returned is not yet known to all.
            }

            if (waited.Elapsed > Limit)
            {
                throw new TimeoutException($"In {Limit} no log came to lie on all three silos.");
            }

            Thread.Sleep(TimeSpan.FromMilliseconds(50));
        }
    }

    public ISegmentDirectoryGrain Directory(ILog log) => Grains.GetGrain<ISegmentDirectoryGrain>(log.Name);

    public SiloProcess SiloOf(string node) => Silos.Single(silo => silo.Node == node);
}
