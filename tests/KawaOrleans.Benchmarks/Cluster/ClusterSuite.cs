using KawaOrleans.Benchmarks.Cluster.Rows;

namespace KawaOrleans.Benchmarks.Cluster;

/// <summary>The whole way: client, network, grain, disk and back. Silos are processes of their own, reached by TCP on loopback; every
/// append is on disk before it is acknowledged.</summary>
internal sealed class ClusterSuite : Suite
{
    public override string Name => "cluster";

    public override string Description => "A client and silos in separate processes, against the limits of the framework and of the disk.";

    public override IReadOnlyList<Row> Rows { get; } =
    [
        FrameworkLimits.Row,
        BatchAppend.Row,
        ProducerAppend.Row,
        SingleAppend.Row,
        SingleLatency.Row,
        ReadAll.Row,
        PointRead.Row,
        FilteredQuery.Row,
        SegmentedQuery.Row,
        CostGrowth.Row,
        DeadOwner.Row,
        Restart.Row,
        SiloMemory.Row,
    ];
}
