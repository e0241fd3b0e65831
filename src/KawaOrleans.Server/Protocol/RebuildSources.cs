namespace KawaOrleans.Server.Protocol;

/// <summary>What is known of one log when its chain is to be written anew.</summary>
internal sealed record RebuildSources
{
    public required string LogName { get; init; }

    /// <summary>The chain store's own record, if it has one.</summary>
    public required Chain? Stored { get; init; }

    /// <summary>The catalogue's id for the name, if it lists it as created.</summary>
    public required Guid? ListedId { get; init; }

    /// <summary>Ids of deleted logs.</summary>
    public required IReadOnlyCollection<Guid> Deleted { get; init; }

    /// <summary>What the live nodes said of logs of this name.</summary>
    public required IReadOnlyList<NodeInventory> Answers { get; init; }

    /// <summary>Nodes that the operator says will never answer; <see cref="RebuildCommand.EveryMissingNode"/> for all that do not.</summary>
    public required IReadOnlyCollection<string> GivenUp { get; init; }

    /// <summary>True when the operator gave the node up.</summary>
    public bool IsGivenUp(string node) => GivenUp.Contains(node) || GivenUp.Contains(RebuildCommand.EveryMissingNode);

    /// <summary>The ids that the name may stand for: the listed or stored one, or those of which a node has a trace.</summary>
    public IReadOnlyList<Guid> Ids() => (ListedId ?? Stored?.LogId) is { } id
        ? [id]
        : [.. Logs().Where(log => NodeInventory.IsTrace(log.Log)).Select(log => log.Log.LogId).Distinct()
            .Where(trace => !Deleted.Contains(trace) && !IsToldDeleted(trace))];

    /// <summary>The newest chain of the log that anyone kept, the store included; who else kept that version comes after it.</summary>
    public IReadOnlyList<(string Keeper, Chain Chain)> Newest(Guid id)
    {
        var kept = Logs().Where(log => log.Log.LogId == id && log.Log.SavedChain is not null)
            .Select(log => (Keeper: $"node '{log.Node}'", Chain: log.Log.SavedChain!)).ToList();
        if (Stored is { } stored && stored.LogId == id)
        {
            kept.Insert(0, ("the chain store", stored));
        }

        var version = kept.Select(chain => chain.Chain.Version).DefaultIfEmpty(0).Max();
        return [.. kept.Where(chain => chain.Chain.Version == version)];
    }

    /// <summary>What a node said of its replica of a segment, or why that is not known.</summary>
    public NodeAnswer<ReplicaInventory> Replica(Guid logId, ChainSegment segment, string node)
    {
        var inventory = Answers.FirstOrDefault(answer => answer.Node == node);
        if (inventory is null or { Answer.IsKnown: false })
        {
            return new NodeAnswer<ReplicaInventory>(null, inventory?.Answer.Unknown ?? "it has no live silo");
        }

        var replica = inventory.Known.Where(log => log.LogId == logId).SelectMany(log => log.Replicas)
            .FirstOrDefault(replica => replica.Segment.Id == segment.Id && replica.Segment.Generation == segment.Generation);
        return replica switch
        {
            null => new(null, "it has no such file"),
            { State: ReplicaState.Unknown or ReplicaState.Damaged or ReplicaState.Missing } => new(null, replica.Problem ?? $"its file is {replica.State}"),
            _ when replica.Tail < segment.Base => new(null, $"its file ends at {replica.Tail}, below the segment's base"),
            _ => new(replica, null),
        };
    }

    private IEnumerable<(string Node, LogInventory Log)> Logs() => Answers
        .SelectMany(answer => answer.Known, (answer, log) => (answer.Node, Log: log))
        .Where(log => log.Log.LogName == LogName || log.Log.LogId == ListedId);

    private bool IsToldDeleted(Guid id) => Newest(id) is [(_, { Segments.Count: 0 }), ..];
}
