using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Healing;

/// <summary>Makes replicas whole that the chain lists on this node.</summary>
/// <param name="node">This node.</param>
/// <param name="fetch">Copies segments.</param>
/// <param name="settled">Is told of each segment whose replica here is whole again.</param>
/// <param name="logger">Told what was done.</param>
internal sealed class ReplicaMending(IMendingNode node, ReplicaFetch fetch, Action<Guid> settled, ILogger logger)
{
    /// <summary>Completes a short replica, or replaces one that is damaged or missing; why not, or null.</summary>
    public async Task<string?> Mend(ReplicaNeed need, CancellationToken cancellation)
    {
        var isCompleted = need.Lack == ReplicaLack.Short && await Complete(need, cancellation);
        string? whyNot = null;
        if (!isCompleted)
        {
            // Also one that cannot be completed: what it holds itself may have rotted.
            whyNot = await Replace(need, cancellation);
        }

        if (whyNot is null)
        {
            settled(need.Segment.Id);
            logger.Mended(need.Segment.Id, need.Chain.LogName, need.Lack);
        }
        else
        {
            logger.NotMended(need.Segment.Id, need.Chain.LogName, need.Lack, whyNot);
        }

        return whyNot;
    }

    private async Task<string?> Replace(ReplicaNeed need, CancellationToken cancellation)
    {
        var (copy, whyNot) = await fetch.Fetch(need.Chain, need.Segment, need.Segment.Ensemble, need.Sources, cancellation);
        if (copy is not null)
        {
            await node.Run(files =>
            {
                files.Install(copy, $"it is {need.Lack}, a good copy came from another node");
                return true;
            });
        }

        return whyNot;
    }

    private async Task<bool> Complete(ReplicaNeed need, CancellationToken cancellation)
    {
        foreach (var source in need.Sources)
        {
            var reached = await node.Complete(need.Segment, source, cancellation);
            if (reached.IsKnown && reached.Value >= need.Segment.End)
            {
                await node.Run(files =>
                {
                    files.Announce(need.Chain);
                    return true;
                });
                return true;
            }
        }

        return false;
    }
}
