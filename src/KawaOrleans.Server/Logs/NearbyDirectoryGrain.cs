using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Server.Queries;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace KawaOrleans.Server.Logs;

/// <summary>The same on every silo: for callers to whom the one directory of a log is silent, because its silo died and the cluster has not
/// noticed yet. It runs where the call enters the cluster, so nothing has to be found first.</summary>
[StatelessWorker(1), Reentrant, GrainType(ISegmentDirectoryGrain.NearbyGrainType)]
internal sealed class NearbyDirectoryGrain(
    ChainChanger changer, NodesClient nodes, ReplicaCalls replicas, AggregationRegistry aggregations, TimeProvider time, ILogger<SegmentDirectoryGrain> logger)
    : SegmentDirectoryGrain(changer, nodes, replicas, aggregations, time, logger);
