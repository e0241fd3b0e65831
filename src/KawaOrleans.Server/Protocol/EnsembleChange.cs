namespace KawaOrleans.Server.Protocol;

/// <summary>Swaps a node into the ensemble of a segment that has ended. The node has a whole copy of it, sealed at the chain's end and synced.</summary>
internal sealed class EnsembleChange(IChainRecords records, INodes nodes)
{
    private const int MaxSwaps = 20;

    private readonly Announcement _announcement = new(nodes);

    /// <summary>The chain that lists the node, told to all of its nodes; null when there is no place for it any more.</summary>
    /// <exception cref="ChainStoreException">The store is away; whether the swap took effect is unknown. Repeat.</exception>
    public async Task<Chain?> Join(Chain seen, Guid segmentId, ChainNode joining, CancellationToken cancellation)
    {
        for (var swap = 0; swap < MaxSwaps; swap++)
        {
            var record = await records.ReadChain(seen.LogName, cancellation);
            var catalogue = await records.ReadCatalogue(cancellation);
            if (record?.Value is not { } chain || catalogue is null || chain.LogId != seen.LogId
                || chain.Segments.FirstOrDefault(segment => segment.Id == segmentId) is not { IsOpen: false } segment)
            {
                return null;
            }

            if (segment.Ensemble.Contains(joining))
            {
                await _announcement.ToAll(chain, [], cancellation);
                return chain;
            }

            if (EnsembleRepair.With(segment, joining, catalogue.Value, chain.Options.Replicas) is not { } ensemble)
            {
                return null;
            }

            await records.SwapChain(seen.LogName, record, ChainRules.Moved(chain, segmentId, ensemble), cancellation);
        }

        throw new ChainStoreException(ChainStoreProblem.Away, $"Log '{seen.LogName}' changed {MaxSwaps} times while a replica was to join it. Retry.");
    }
}
