using KawaOrleans.Benchmarks.Measuring;

namespace KawaOrleans.Benchmarks.Cluster.Silos;

/// <summary>One silo, shared by the rows that leave it running.</summary>
internal sealed class OneSilo : SiloCluster
{
    private const int WarmUpCallers = 64;

    private OneSilo(Run run)
        : base(run, 1)
    {
        // Both processes run code that was compiled in haste until they have made enough calls; no row is to be the first.
        var log = NewLog("warm-up");
        var grain = FrameworkLimit.Grain(this);
        for (var i = 0; i < run.Pick(3, 5); i++)
        {
            _ = Callers.Rate(WarmUpCallers, TimeSpan.FromSeconds(0.5), _ => grain.Ping().AsTask());
            _ = Callers.Rate(WarmUpCallers, TimeSpan.FromSeconds(0.5), _ => log.AppendAsync(SampleEvents.Single()));
            _ = Callers.Rate(1, TimeSpan.FromSeconds(0.1), async _ => Expect.Event(await log.TryReadAsync(0)));
        }
    }

    public static OneSilo Of(Run run) => run.Fixtures.Get(() => new OneSilo(run));
}
