using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.Protocol;

/// <summary>A replica as the node keeps it.</summary>
internal sealed class FakeReplica
{
    public required NewSegment Claim { get; init; }

    public long Tail { get; set; }

    public bool IsWritten { get; set; }

    public bool IsFenced { get; set; }

    public bool IsSealed { get; set; }

    public bool IsAside { get; set; }

    public ReplicaState? Broken { get; set; }

    public ReplicaState State => Broken ?? (IsSealed ? ReplicaState.Sealed
        : IsFenced ? ReplicaState.Fenced
        : IsWritten ? ReplicaState.Open
        : ReplicaState.Prepared);
}

/// <summary>A node that keeps the rules of nodes, in memory.</summary>
internal sealed class FakeNode(string name, Guid id)
{
    public string Name => name;

    public ChainNode Node => new(name, id);

    public Guid Cookie { get; set; }

    public long FreeBytes { get; set; } = 1L << 40;

    public bool IsUp { get; set; } = true;

    public bool IsDeaf { get; set; }

    /// <summary>It cannot keep a chain, so that it is told of none; all else goes on.</summary>
    public bool CannotBeTold { get; set; }

    public bool RefusesToPrepare { get; set; }

    public bool RefusesToComplete { get; set; }

    /// <summary>What others ask it for does not verify.</summary>
    public bool RefusesToGive { get; set; }

    /// <summary>Why its segments are to be ended, or null: by default every report is taken for true.</summary>
    public string? WhyEnd { get; set; } = "it was reported";

    public Dictionary<Guid, FakeReplica> Replicas { get; } = [];

    public Dictionary<Guid, Chain> Saved { get; } = [];

    public NodeReport Report() => new(
        Node, Cookie, FreeBytes, Replicas.Values.Count(replica => !replica.IsAside && replica.State is ReplicaState.Prepared or ReplicaState.Open));

    public NodeAnswer<Prepared> Prepare(NewSegment claim)
    {
        if (RefusesToPrepare)
        {
            return new(null, "disk full");
        }

        Replicas.TryAdd(claim.Segment.Id, new FakeReplica { Claim = claim, Tail = claim.Segment.Base });
        return new(new Prepared(Node), null);
    }

    public NodeAnswer<FencedTail> Fence(Guid logId, Guid segmentId)
    {
        if (!Replicas.TryGetValue(segmentId, out var replica) || replica.IsAside || replica.Broken is not null)
        {
            return new(null, "no such segment");
        }

        replica.IsFenced = true;
        return new(new FencedTail(replica.Tail, 0, null, Saved.GetValueOrDefault(logId)?.Version ?? 0), null);
    }

    public NodeAnswer<long> Complete(Guid segmentId, FakeNode? source, long end)
    {
        if (!Replicas.TryGetValue(segmentId, out var replica) || replica.State != ReplicaState.Fenced || RefusesToComplete
            || source is not { IsUp: true, RefusesToGive: false } || !source.Replicas.TryGetValue(segmentId, out var longer))
        {
            return new(0, "no such segment, or no source");
        }

        replica.Tail = Math.Max(replica.Tail, Math.Min(longer.Tail, end));
        return new(replica.Tail, null);
    }

    public long Announce(Chain chain)
    {
        if (!Saved.TryGetValue(chain.LogId, out var newest) || newest.Version < chain.Version)
        {
            Saved[chain.LogId] = newest = chain;
        }

        foreach (var replica in Replicas.Values.Where(replica => replica.Claim.LogId == chain.LogId))
        {
            var listed = newest.Segments.FirstOrDefault(segment => segment.Id == replica.Claim.Segment.Id);
            if (listed is null)
            {
                replica.IsAside |= replica.Claim.ChainVersion < newest.Version;
            }
            else if (listed.End is { } end)
            {
                // One that is short of the end stays fenced.
                replica.IsFenced = true;
                (replica.IsSealed, replica.Tail) = replica.Tail >= end ? (true, end) : (false, replica.Tail);
            }
        }

        return newest.Version;
    }

    public IReadOnlyList<LogInventory> Inventory(string? logName)
    {
        var replicas = Replicas.Values.Where(replica => !replica.IsAside).ToLookup(replica => replica.Claim.LogId);
        return [.. Saved.Keys.Union(replicas.Select(log => log.Key)).Select(log => new LogInventory
        {
            LogId = log,
            LogName = Saved.GetValueOrDefault(log)?.LogName ?? replicas[log].First().Claim.LogName,
            SavedChain = Saved.GetValueOrDefault(log),
            Replicas = [.. replicas[log].Select(replica => new ReplicaInventory
            {
                Segment = replica.Claim.Segment, State = replica.State, Tail = replica.Tail, LastTimestamp = 0,
                PreparedAgainst = replica.Claim.ChainVersion, Problem = null,
            })],
        }).Where(log => logName is null || log.LogName == logName)];
    }

    /// <summary>Appends if the rules let this replica be written; where the batch went, or null.</summary>
    public (long First, long End)? Append(Guid logId, Guid segmentId, int events)
    {
        if (!IsUp || !Replicas.TryGetValue(segmentId, out var replica) || replica.IsAside || replica.IsFenced
            || Saved.GetValueOrDefault(logId)?.WriteSegment?.Id != segmentId)
        {
            return null;
        }

        var first = replica.Tail;
        (replica.IsWritten, replica.Tail) = (true, first + events);
        return (first, replica.Tail);
    }
}

/// <summary>One changer's way to the nodes: requests and answers may be lost.</summary>
internal sealed class FakeNodes(World world, IReadOnlyList<FakeNode> all, Func<bool> isDead) : INodes
{
    /// <summary>Calls made, by kind.</summary>
    public Dictionary<string, int> Calls { get; } = [];

    public IReadOnlyList<string> Live => [.. all.Where(node => node.IsUp).Select(node => node.Name)];

    public IReadOnlyList<string> Missing => [.. all.Where(node => !node.IsUp).Select(node => node.Name)];

    public Task<NodeAnswer<NodeReport>> Report(string node, CancellationToken cancellation) =>
        Ask(nameof(Report), node, found => new NodeAnswer<NodeReport>(found.Report(), null));

    public Task<NodeAnswer<WriterStanding>> Standing(string node, Guid segmentId, int generation, CancellationToken cancellation) =>
        Ask(nameof(Standing), node, found => new NodeAnswer<WriterStanding>(new WriterStanding(found.WhyEnd), null));

    public Task<NodeAnswer<Prepared>> Prepare(string node, NewSegment segment, CancellationToken cancellation) =>
        Ask(nameof(Prepare), node, found => found.Prepare(segment));

    public Task<NodeAnswer<FencedTail>> Fence(string node, Guid logId, Guid segmentId, int generation, CancellationToken cancellation) =>
        Ask(nameof(Fence), node, found => found.Fence(logId, segmentId));

    public Task<NodeAnswer<long>> Complete(
        string node, Guid logId, Guid segmentId, int generation, string source, long end, CancellationToken cancellation) =>
        Ask(nameof(Complete), node, found => found.Complete(segmentId, all.FirstOrDefault(other => other.Name == source), end));

    public Task<NodeAnswer<long>> Announce(string node, Chain chain, CancellationToken cancellation) =>
        Ask(nameof(Announce), node, found => found.CannotBeTold ? new NodeAnswer<long>(0, "it cannot keep it") : new NodeAnswer<long>(found.Announce(chain), null));

    public Task<NodeAnswer<IReadOnlyList<LogInventory>>> Inventory(string node, string? logName, CancellationToken cancellation) =>
        Ask(nameof(Inventory), node, found => new NodeAnswer<IReadOnlyList<LogInventory>>(found.Inventory(logName), null));

    private async Task<NodeAnswer<T>> Ask<T>(string call, string name, Func<FakeNode, NodeAnswer<T>> act)
    {
        lock (Calls)
        {
            Calls[call] = Calls.GetValueOrDefault(call) + 1;
        }

        await world.Pause(isDead);
        var node = all.FirstOrDefault(node => node.Name == name);
        if (node is not { IsUp: true, IsDeaf: false } || world.IsLost())
        {
            return new NodeAnswer<T>(default, "no answer");
        }

        // Where a test runs over a real chain store, changers on several threads ask the same node.
        NodeAnswer<T> answer;
        lock (node)
        {
            answer = act(node);
        }

        await world.Pause(isDead);
        return world.IsLost() ? new NodeAnswer<T>(default, "the answer was lost") : answer;
    }
}
