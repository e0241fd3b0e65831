using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Placement;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Server.Queries;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.GrainDirectory;

namespace KawaOrleans.Server.Logs;

/// <summary>The same on every silo: for callers to whom the one directory of a log is silent, because its silo died and the cluster has not
/// noticed yet. It runs where the call enters the cluster, so nothing has to be found first: not in the cluster's own directory either, which is asked
/// for stateless workers too and has a part of it on the silo that died.</summary>
[StatelessWorker(1), GrainDirectory(PinnedGrainDirectory.Name), Reentrant, GrainType(ISegmentDirectoryGrain.NearbyGrainType)]
internal sealed class NearbyDirectoryGrain(
    ChainChanger changer, NodesClient nodes, ReplicaCalls replicas, AggregationRegistry aggregations, TimeProvider time, ILogger<SegmentDirectoryGrain> logger)
    : SegmentDirectoryGrain(changer, nodes, replicas, aggregations, time, logger)
{
    private protected override string NameOf(string key) => key.Split('/', 2)[0];
}
