using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Healing;

/// <summary>Takes places in ensembles that other nodes offer this one.</summary>
/// <param name="node">This node.</param>
/// <param name="invitations">What was offered.</param>
/// <param name="fetch">Copies segments.</param>
/// <param name="ensembles">Swaps this node into a chain.</param>
/// <param name="settled">Is told of each segment that this node has then.</param>
/// <param name="logger">Told what was done.</param>
internal sealed class PlaceTaking(
    IMendingNode node, Invitations invitations, ReplicaFetch fetch, EnsembleChange ensembles, Action<Guid> settled, ILogger logger)
{
    /// <summary>Copies a segment, joins its ensemble, then puts the copy in place: a chain never lists a node without it.</summary>
    public async Task Accept(Chain seen, Guid segmentId, Catalogue catalogue, CancellationToken cancellation)
    {
        var chain = node.Chains.FirstOrDefault(kept => kept.LogId == seen.LogId) ?? seen;
        if (chain.Segments.FirstOrDefault(segment => segment.Id == segmentId) is not { IsOpen: false } segment
            || EnsembleRepair.With(segment, node.Self, catalogue, chain.Options.Replicas) is not { } ensemble)
        {
            invitations.Done(segmentId);
            return;
        }

        var (copy, whyNot) = await fetch.Fetch(chain, segment, ensemble, ReplicaNeed.SourcesFor(segment, node.Self, catalogue, node.Live), cancellation);
        if (copy is null)
        {
            logger.NotTaken(segmentId, chain.LogName, whyNot!);
            return; // goes on at the next pass
        }

        try
        {
            // With this the node has to have it: what is not in place yet is put there by the next pass, from the same copy.
            if (await ensembles.Join(chain, segmentId, node.Self, cancellation) is { } joined)
            {
                await node.Run(files =>
                {
                    files.Announce(joined);
                    files.Install(copy, "a newer copy came from another node");
                    return true;
                });
                settled(segmentId);
                logger.Taken(segmentId, chain.LogName);
            }
        }
        finally
        {
            copy.Dispose();
        }

        invitations.Done(segmentId);
    }
}
