using KawaOrleans.Server.Protocol;
using Orleans.Runtime;

namespace KawaOrleans.Server.Nodes;

/// <summary>Asks nodes by name. No answer in time, or none that can be had, is an answer too: unknown, with the reason.</summary>
internal sealed class NodesClient(LiveNodes nodes, NodeServiceClient services, TimeProvider time) : INodes
{
    // Answered from memory. Longer than a collection or a busy thread pool, short beside what callers wait for.
    private static readonly TimeSpan StandingTimeout = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LookTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ChangeTimeout = TimeSpan.FromSeconds(2);

    // Allocating and writing through a segment's file takes as long as the disk needs for its size. One that is given up is made
    // all the same and only wastes room, so this is as long as the call behind a roll allows beside a fence and an announcement.
    private static readonly TimeSpan PrepareTimeout = TimeSpan.FromSeconds(5);

    // A call that may take seconds is worth them only while its node shows that it lives.
    private static readonly TimeSpan SignAfter = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly SilentSilos _silent = new();

    public IReadOnlyList<string> Live => nodes.Names;

    public IReadOnlyList<string> Missing => nodes.Missing;

    /// <summary>True of a node that has no live silo or left the last call unanswered: one to turn to last.</summary>
    public bool IsSilent(string node) => nodes.Find(node) is not { } silo || _silent.Contains(silo);

    /// <summary>The node's live silo, or null. Another one than before is another process.</summary>
    public SiloAddress? SiloOf(string node) => nodes.Find(node);

    public Task<NodeAnswer<NodeReport>> Report(string node, CancellationToken cancellation) =>
        Ask(node, LookTimeout, service => service.Report(), cancellation);

    public Task<NodeAnswer<WriterStanding>> Standing(string node, Guid segmentId, int generation, CancellationToken cancellation) =>
        Ask(node, StandingTimeout, service => service.Standing(segmentId, generation), cancellation);

    /// <summary>Has a node make the file of a log's next segment ahead, under the id that it will have; nobody waits for it.</summary>
    public void PrepareSpare(string node, Guid logId, Guid segmentId, long bytes)
    {
        if (nodes.Find(node) is { } silo)
        {
            services.At(silo).PrepareSpare(logId, segmentId, bytes).Ignore();
        }
    }

    public Task<NodeAnswer<Prepared>> Prepare(string node, NewSegment segment, CancellationToken cancellation) =>
        Ask(node, PrepareTimeout, service => service.Prepare(segment), cancellation);

    public Task<NodeAnswer<FencedTail>> Fence(string node, Guid logId, Guid segmentId, int generation, CancellationToken cancellation) =>
        Ask(node, ChangeTimeout, service => service.Fence(logId, segmentId, generation), cancellation);

    public Task<NodeAnswer<long>> Complete(
        string node, Guid logId, Guid segmentId, int generation, string source, long end, CancellationToken cancellation) =>
        Ask(node, PrepareTimeout, service => service.Complete(segmentId, generation, source, end), cancellation);

    /// <summary>Has a follower take write groups; none, to tell what is committed.</summary>
    public Task<NodeAnswer<FollowerAnswer>> Follow(string node, FollowerAppend append, Block groups, CancellationToken cancellation) =>
        Ask(node, ChangeTimeout, service => service.Follow(append, groups), cancellation);

    /// <summary>Write groups of one of the node's segments from an offset on; empty at its tail.</summary>
    public Task<NodeAnswer<Block>> ReadGroups(string node, Guid segmentId, int generation, long offset, CancellationToken cancellation) =>
        Ask(node, ChangeTimeout, service => service.ReadGroups(segmentId, generation, offset), cancellation);

    public Task<NodeAnswer<long>> Announce(string node, Chain chain, CancellationToken cancellation) =>
        Ask(node, ChangeTimeout, service => service.Announce(chain), cancellation);

    public Task<NodeAnswer<IReadOnlyList<LogInventory>>> Inventory(string node, string? logName, CancellationToken cancellation) =>
        Ask(node, LookTimeout, service => service.Inventory(logName), cancellation);

    /// <summary>The node's replicas of one log, with their numbers.</summary>
    public Task<NodeAnswer<IReadOnlyList<SegmentDescription>>> Replicas(string node, Guid logId, CancellationToken cancellation) =>
        Ask(node, LookTimeout, service => service.Replicas(logId), cancellation);

    /// <summary>What a writer remembers of the events in [from, to) of one of the node's segments.</summary>
    public Task<NodeAnswer<byte[]>> Remember(string node, Guid segmentId, int generation, long from, long to, CancellationToken cancellation) =>
        Ask(node, ChangeTimeout, service => service.Remember(segmentId, generation, from, to), cancellation);

    /// <summary>The runs of heads of a log, made up to the end of a segment that the node has.</summary>
    public Task<NodeAnswer<IReadOnlyList<HeadRunPart>>> HeadRuns(string node, Guid logId, Guid upTo, CancellationToken cancellation) =>
        Ask(node, PrepareTimeout, service => service.HeadRuns(logId, upTo), cancellation);

    /// <summary>A part of one of them.</summary>
    public Task<NodeAnswer<byte[]>> ReadHeads(string node, Guid logId, long from, long to, long offset, int count, CancellationToken cancellation) =>
        Ask(node, ChangeTimeout, service => service.ReadHeads(logId, from, to, offset, count), cancellation);

    /// <summary>Has the node copy a segment that has ended, and then take a place in its ensemble; answered when it noted that.</summary>
    public Task<NodeAnswer<bool>> TakeReplica(string node, Chain chain, Guid segmentId, CancellationToken cancellation) =>
        Ask(node, ChangeTimeout, service => service.TakeReplica(chain, segmentId), cancellation);

    /// <summary>The node and what it cannot trust.</summary>
    public Task<NodeAnswer<NodeDescription>> Describe(string node, CancellationToken cancellation) =>
        Ask(node, LookTimeout, service => service.Describe(), cancellation);

    private async Task<NodeAnswer<T>> Ask<T>(
        string node, TimeSpan limit, Func<INodeService, Task<NodeAnswer<T>>> call, CancellationToken cancellation)
    {
        if (nodes.Find(node) is not { } silo)
        {
            return Unknown<T>($"node '{node}' has no live silo");
        }

        limit = _silent.Limit(silo, limit);
        Task<NodeAnswer<T>>? answer = null;
        try
        {
            answer = call(services.At(silo));
            if (limit > ChangeTimeout && await Task.WhenAny(answer, Task.Delay(SignAfter, time, cancellation)) != answer)
            {
                var sign = services.At(silo).Report().WaitAsync(LookTimeout, time, cancellation);
                if (await Task.WhenAny(answer, sign) == sign)
                {
                    await sign;
                }
            }

            var known = await Within(limit, answer, cancellation);
            _silent.Heard(silo);
            return known;
        }
        catch (TimeoutException)
        {
            _ = _silent.Unanswered(silo, answer);
            return Unknown<T>($"node '{node}' did not answer within {limit.TotalSeconds:0.##} s, or gave no sign of life before");
        }
        catch (Exception e) when (e is OrleansException or ObjectDisposedException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return Unknown<T>($"node '{node}' could not be reached ({e.Message})");
        }
    }

    /// <summary>Waits in steps, not for a time: a step that took long because this process itself was starved says nothing about the node, and
    /// counts as one.</summary>
    private async Task<T> Within<T>(TimeSpan limit, Task<T> answer, CancellationToken cancellation)
    {
        for (var left = limit; left > Step; left -= Step)
        {
            try
            {
                return await answer.WaitAsync(Step, time, cancellation);
            }
            catch (TimeoutException) when (!answer.IsCompleted)
            {
                // The next step.
            }
        }

        return await answer.WaitAsync(Step, time, cancellation);
    }

    private static NodeAnswer<T> Unknown<T>(string reason) => new(default, reason);
}
