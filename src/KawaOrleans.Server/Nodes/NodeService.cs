using KawaOrleans.Server.Healing;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace KawaOrleans.Server.Nodes;

/// <summary>Shell around <see cref="LocalNode"/> and <see cref="LocalInventory"/>: moves the work off the scheduler and turns failures into answers.</summary>
/// <remarks>
/// A grain service can be addressed by anyone who can reach a gateway and knows its id, so it checks its callers itself: Orleans
/// runs a target's own call filter for services as for grains, and only for this target. A silo's code outside grains calls as
/// that silo's hosted client. This keeps out ordinary clients; a program that forges its sender is kept out by TLS alone.
/// </remarks>
[Reentrant]
internal sealed class NodeService(GrainId id, Silo silo, ILoggerFactory loggers, LocalNode node, LocalInventory inventory, ReplicaCompletion completion, Invitations invitations)
    : GrainService(id, silo, loggers), INodeService, IIncomingGrainCallFilter
{
    private const string HostedClientPrefix = "hosted-";

    public Task Invoke(IIncomingGrainCallContext context)
    {
        var isSilo = context.SourceId is { } source
            && (!source.IsClient() || source.Key.ToString()!.StartsWith(HostedClientPrefix, StringComparison.Ordinal));
        return isSilo || context.InterfaceMethod?.DeclaringType != typeof(INodeService)
            ? context.Invoke()
            : throw new RequestRefusedException($"'{context.InterfaceName}' is for the silos of the cluster; a client cannot call it. Use the grains of KawaOrleans.Abstractions.");
    }

    public Task<NodeAnswer<NodeReport>> Report() => Answer(node.Report);

    public Task<NodeAnswer<WriterStanding>> Standing(Guid segmentId, int generation) => Answer(() => node.Standing(segmentId, generation));

    public Task PrepareSpare(Guid logId, Guid segmentId, long bytes)
    {
        node.BeginSpare(logId, segmentId, bytes);
        return Task.CompletedTask;
    }

    public Task<NodeAnswer<Prepared>> Prepare(NewSegment segment) => Answer(() => node.Prepare(segment));

    public Task<NodeAnswer<FencedTail>> Fence(Guid logId, Guid segmentId, int generation) => Answer(() => node.Fence(logId, segmentId, generation));

    public async Task<NodeAnswer<FollowerAnswer>> Follow(FollowerAppend append, Block groups)
    {
        using (groups)
        {
            return await Answer(() => node.Follow(append, groups.Bytes));
        }
    }

    public Task<NodeAnswer<long>> Complete(Guid segmentId, int generation, string source, long end) =>
        completion.Run(segmentId, generation, source, end);

    public Task<NodeAnswer<Block>> ReadGroups(Guid segmentId, int generation, long offset) => Answer(() => node.ReadGroups(segmentId, generation, offset));

    public Task<NodeAnswer<long>> Announce(Chain chain) => Answer(() => node.Announce(chain));

    public Task<NodeAnswer<IReadOnlyList<LogInventory>>> Inventory(string? logName) => Answer(() => inventory.Inventory(logName));

    public Task<NodeAnswer<IReadOnlyList<SegmentDescription>>> Replicas(Guid logId) => Answer(() => inventory.Replicas(logId));

    public Task<NodeAnswer<byte[]>> Remember(Guid segmentId, int generation, long from, long to) =>
        Answer(() => node.Remember(segmentId, generation, from, to));

    public Task<NodeAnswer<IReadOnlyList<HeadRunPart>>> HeadRuns(Guid logId, Guid upTo) => Answer(() => node.HeadRuns(logId, upTo));

    public Task<NodeAnswer<byte[]>> ReadHeads(Guid logId, long from, long to, long offset, int count) =>
        Answer(() => node.ReadHeads(logId, from, to, offset, count));

    public Task<NodeAnswer<bool>> TakeReplica(Chain chain, Guid segmentId) => Answer(() => invitations.Add(node.Learn(chain), segmentId));

    public Task<NodeAnswer<NodeDescription>> Describe() => Answer(inventory.Describe);

    /// <summary>What the files refuse is unknown to whoever asked; storage types never cross the wire.</summary>
    internal static async Task<NodeAnswer<T>> Answer<T>(Func<T> work)
    {
        try
        {
            return new NodeAnswer<T>(await Task.Run(work), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or KawaException or InvalidOperationException or ArgumentException)
        {
            return new NodeAnswer<T>(default, e.Message);
        }
    }
}
