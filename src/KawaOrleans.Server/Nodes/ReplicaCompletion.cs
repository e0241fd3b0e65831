using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Server.Nodes;

/// <summary>Brings a fenced replica here to the end of its segment with what another node has.</summary>
internal sealed class ReplicaCompletion(LocalNode node, NodesClient nodes)
{
    /// <summary>Copies until the end is reached or the other node has no more; answers how far that is. Several at once help each other:
    /// groups that begin elsewhere than at the tail change nothing.</summary>
    public async Task<NodeAnswer<long>> Run(Guid segmentId, int generation, string source, long end)
    {
        var tail = await NodeService.Answer(() => node.Complete(segmentId, generation, default, default));
        while (tail.IsKnown && tail.Value.Position < end)
        {
            var from = tail.Value;
            var groups = await nodes.ReadGroups(source, segmentId, generation, from.Offset, CancellationToken.None);
            if (groups is not { IsKnown: true, Value: { } block })
            {
                return new NodeAnswer<long>(0, groups.Unknown);
            }

            if (block.Length == 0)
            {
                break;
            }

            tail = await NodeService.Answer(() => node.Complete(segmentId, generation, from, block.Bytes));
            block.Dispose();
        }

        return new NodeAnswer<long>(tail.Value.Position, tail.Unknown);
    }
}
