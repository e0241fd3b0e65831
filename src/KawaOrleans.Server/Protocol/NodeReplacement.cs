namespace KawaOrleans.Server.Protocol;

/// <summary>What is done when an operator says that a node's data directory is lost for ever: it never votes again, its name is free for an
/// empty directory, and what it held is copied elsewhere.</summary>
internal sealed class NodeReplacement(INodeRecords records, INodes nodes, CatalogueChanger catalogue)
{
    /// <summary>Gives up the data directory that the node registered last. Repeatable.</summary>
    /// <exception cref="RequestRefusedException">No such node ever registered, or it is alive.</exception>
    public async Task GiveUp(string node, CancellationToken cancellation)
    {
        if (Names.WhyNotKey(node) is { } reason)
        {
            throw new RequestRefusedException($"'{node}' is no node name: {reason}.");
        }

        var record = await records.ReadNode(node, cancellation)
            ?? throw new RequestRefusedException($"No node '{node}' ever registered: there is nothing to give up.");
        var lost = new ChainNode(node, record.Value.NodeId);
        if (nodes.Live.Contains(node) && await nodes.Report(node, cancellation) is { IsKnown: true, Value: { } report } && report.Node == lost)
        {
            throw new RequestRefusedException($"Node '{node}' is alive with its data directory {lost.Id:N}: nothing was changed. Stop it first, for ever.");
        }

        await catalogue.GiveUp(lost, cancellation);
    }
}
