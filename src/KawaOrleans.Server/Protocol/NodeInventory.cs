namespace KawaOrleans.Server.Protocol;

/// <summary>What one node said it knows of logs, or that it said nothing.</summary>
internal sealed record NodeInventory(string Node, NodeAnswer<IReadOnlyList<LogInventory>> Answer)
{
    /// <summary>The logs it told of; none when it did not answer.</summary>
    public IReadOnlyList<LogInventory> Known => Answer.IsKnown ? Answer.Value ?? [] : [];

    /// <summary>Asks all the nodes at once.</summary>
    public static Task<NodeInventory[]> Of(INodes nodes, IEnumerable<string> names, string? logName, CancellationToken cancellation)
    {
        return Task.WhenAll(names.Select(Ask));

        async Task<NodeInventory> Ask(string node) => new(node, await nodes.Inventory(node, logName, cancellation));
    }

    /// <summary>Whether this shows that the log may have acknowledged events: a chain with segments was kept, or none was although
    /// a replica is more than prepared. A kept chain without segments is what a node is told of a deleted log.</summary>
    public static bool IsTrace(LogInventory log) =>
        log.SavedChain is { } chain ? chain.Segments.Count > 0 : log.Replicas.Any(replica => replica.State != ReplicaState.Prepared);
}
