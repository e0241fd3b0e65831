using KawaOrleans.Server.Protocol;
using Orleans.Services;

namespace KawaOrleans.Server.Nodes;

/// <summary>A node, as the other silos of its cluster call it. Clients are refused.</summary>
[GrainInterfaceType("kawa.node"), Alias("kawa.node")]
internal interface INodeService : IGrainService
{
    [Alias("Report"), ResponseTimeout("00:00:01")]
    Task<NodeAnswer<NodeReport>> Report();

    [Alias("Standing"), ResponseTimeout("00:00:01")]
    Task<NodeAnswer<WriterStanding>> Standing(Guid segmentId, int generation);

    [Alias("PrepareSpare"), ResponseTimeout("00:00:01")]
    Task PrepareSpare(Guid logId, Guid segmentId, long bytes);

    [Alias("Prepare"), ResponseTimeout("00:00:05")]
    Task<NodeAnswer<Prepared>> Prepare(NewSegment segment);

    [Alias("Fence"), ResponseTimeout("00:00:02")]
    Task<NodeAnswer<FencedTail>> Fence(Guid logId, Guid segmentId, int generation);

    [Alias("Follow"), ResponseTimeout("00:00:02")]
    Task<NodeAnswer<FollowerAnswer>> Follow(FollowerAppend append, Block groups);

    [Alias("Complete"), ResponseTimeout("00:00:05")]
    Task<NodeAnswer<long>> Complete(Guid segmentId, int generation, string source, long end);

    [Alias("ReadGroups"), ResponseTimeout("00:00:02")]
    Task<NodeAnswer<Block>> ReadGroups(Guid segmentId, int generation, long offset);

    [Alias("Announce"), ResponseTimeout("00:00:02")]
    Task<NodeAnswer<long>> Announce(Chain chain);

    [Alias("Inventory"), ResponseTimeout("00:00:01")]
    Task<NodeAnswer<IReadOnlyList<LogInventory>>> Inventory(string? logName);

    [Alias("Replicas"), ResponseTimeout("00:00:01")]
    Task<NodeAnswer<IReadOnlyList<SegmentDescription>>> Replicas(Guid logId);

    [Alias("Remember"), ResponseTimeout("00:00:02")]
    Task<NodeAnswer<byte[]>> Remember(Guid segmentId, int generation, long from, long to);

    [Alias("HeadRuns"), ResponseTimeout("00:00:05")]
    Task<NodeAnswer<IReadOnlyList<HeadRunPart>>> HeadRuns(Guid logId, Guid upTo);

    [Alias("ReadHeads"), ResponseTimeout("00:00:02")]
    Task<NodeAnswer<byte[]>> ReadHeads(Guid logId, long from, long to, long offset, int count);

    [Alias("TakeReplica"), ResponseTimeout("00:00:02")]
    Task<NodeAnswer<bool>> TakeReplica(Chain chain, Guid segmentId);

    [Alias("Describe"), ResponseTimeout("00:00:01")]
    Task<NodeAnswer<NodeDescription>> Describe();
}
