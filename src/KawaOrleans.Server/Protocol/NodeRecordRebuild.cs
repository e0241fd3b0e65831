namespace KawaOrleans.Server.Protocol;

/// <summary>Writes the records of live nodes anew where the chain store went back behind what their data directories have seen registered.
/// Only when the operator asks: to a node an old record looks like a store that it cannot trust.</summary>
internal sealed class NodeRecordRebuild(INodeRecords records, INodes nodes)
{
    public async Task Restore(CancellationToken cancellation)
    {
        foreach (var name in nodes.Live)
        {
            if (await nodes.Report(name, cancellation) is { IsKnown: true, Value.Registered: { } seen }
                && await records.ReadNode(name, cancellation) is { } record && record.Value.NodeId == seen.NodeId && record.Value.Start < seen.Start)
            {
                // One that lost to another has nothing left to do.
                await records.SwapNode(name, record, seen, cancellation);
            }
        }
    }
}
