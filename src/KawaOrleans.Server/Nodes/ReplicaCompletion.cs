using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Server.Nodes;

/// <summary>Brings a fenced replica here to the end of its segment with what another node has.</summary>
internal sealed class ReplicaCompletion(LocalNode node, NodesClient nodes)
{
    /// <summary>Copies until the end is reached or the other node has no more; answers how far that is. Several at once help each other:
    /// groups that begin elsewhere than at the tail change nothing.</summary>
    /// <param name="segmentId">The segment.</param>
    /// <param name="generation">Its generation.</param>
    /// <param name="source">The other node.</param>
    /// <param name="end">Where the segment ends.</param>
    /// <param name="spend">Returns when so many bytes more are allowed; null: nobody may wait, a chain change does.</param>
    public async Task<NodeAnswer<long>> Run(Guid segmentId, int generation, string source, long end, Func<long, Task>? spend = null)
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

            if (spend is not null)
            {
                await spend(block.Length);
            }

            tail = await NodeService.Answer(() => node.Complete(segmentId, generation, from, block.Bytes));
            block.Dispose();
        }

        return new NodeAnswer<long>(tail.Value.Position, tail.Unknown);
    }
}
