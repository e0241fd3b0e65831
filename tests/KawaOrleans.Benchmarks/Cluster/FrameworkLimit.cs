using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Engine;
using KawaOrleans.Benchmarks.Measuring;

namespace KawaOrleans.Benchmarks.Cluster;

/// <summary>The sides that others are compared with: what Orleans and the disk do when nothing is stored.</summary>
internal static class FrameworkLimit
{
    public const string NoOpName = "no-op calls";
    public const string PutName = "block put";
    public const string GetName = "block get";
    public const string AnswerName = "calls answered with as many bytes";
    public const int BlockBytes = 256 * 1024;
    public const int BlocksInFlight = 8;

    /// <summary>As much as one small append takes on the disk.</summary>
    private const int SyncedBytes = 4096;

    private static readonly byte[] Bytes = new byte[BlockBytes];

    /// <summary>Calls per second.</summary>
    public static Side NoOp(SiloCluster cluster, Run run, int callers)
    {
        var grain = Grain(cluster);
        return new Side(NoOpName, () => Callers.Rate(callers, run.RoundTime, _ => grain.Ping().AsTask()));
    }

    /// <summary>Calls per second that are answered with a block as large as one event.</summary>
    public static Side Answer(SiloCluster cluster, Run run, int callers)
    {
        var grain = Grain(cluster);
        return new Side(AnswerName, () => Callers.Rate(callers, run.RoundTime, async _ => Expect.Count(SampleEvents.StoredBytes, (await grain.GetBlock(SampleEvents.StoredBytes)).Length)));
    }

    /// <summary>Bytes per second into a silo.</summary>
    public static Side Put(SiloCluster cluster, Run run)
    {
        var grain = Grain(cluster);
        return new Side(PutName, () => Callers.Rate(BlocksInFlight, run.RoundTime, _ => grain.PutBlock(new Block(Bytes)).AsTask(), BlockBytes));
    }

    /// <summary>Bytes per second out of a silo.</summary>
    public static Side Get(SiloCluster cluster, Run run)
    {
        var grain = Grain(cluster);
        return new Side(GetName, () => Callers.Rate(BlocksInFlight, run.RoundTime, _ => grain.GetBlock(BlockBytes).AsTask(), BlockBytes));
    }

    public static ILimitGrain Grain(SiloCluster cluster) => cluster.Grains.GetGrain<ILimitGrain>(0);

    /// <summary>Seconds for one data sync of a small write.</summary>
    public static Side Sync(Run run) => new("one sync", () =>
    {
        var folder = run.Scratch.Folder("sync");
        using var probe = new SyncProbe(folder, SyncedBytes);
        var seconds = probe.Seconds(run.Pick(100, 300));
        Scratch.Remove(folder);
        return seconds;
    });
}
