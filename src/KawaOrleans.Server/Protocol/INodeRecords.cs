namespace KawaOrleans.Server.Protocol;

/// <summary>The chain store's records of nodes, one a name, changed as <see cref="IChainRecords"/> are.</summary>
internal interface INodeRecords
{
    /// <summary>The node's record, or null when the store has none.</summary>
    Task<Versioned<NodeRecord>?> ReadNode(string node, CancellationToken cancellation);

    /// <summary>Replaces exactly <paramref name="expected"/> (null: none); null when the store held something else.</summary>
    Task<Versioned<NodeRecord>?> SwapNode(string node, Versioned<NodeRecord>? expected, NodeRecord next, CancellationToken cancellation);
}
