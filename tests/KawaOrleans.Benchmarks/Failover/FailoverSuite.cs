using KawaOrleans.Benchmarks.Failover.Rows;

namespace KawaOrleans.Benchmarks.Failover;

/// <summary>Logs of three replicas, two of which acknowledge, on three silo processes of this machine: what they cost and what a death costs.</summary>
internal sealed class FailoverSuite : Suite
{
    public override string Name => "failover";

    public override string Description => "Three silos and logs of three replicas: kill -9 of a primary's and of a follower's silo, appends beside logs of one replica, planned rolls, replicas that are copied anew, the start of a node with many segments.";

    public override IReadOnlyList<Row> Rows { get; } =
    [
        PrimaryDeath.Row,
        FollowerDeath.Row,
        ReplicatedAppend.Row,
        RollPause.Row,
        HealedReplica.Row,
        HealingUnderLoad.Row,
        NodeStart.Row,
    ];
}
