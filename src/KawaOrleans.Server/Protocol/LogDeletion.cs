namespace KawaOrleans.Server.Protocol;

/// <summary>Ends logs: fenced, so that nothing is acknowledged afterwards, unlisted for ever, then without a chain. Whoever finds
/// one half done finishes it.</summary>
internal sealed class LogDeletion(IChainRecords records, INodes nodes, ChainReader reader, CatalogueChanger catalogue, Fencing fencing)
{
    private const int MaxSwaps = 20;

    public async Task Delete(string logName, CancellationToken cancellation)
    {
        Guid? ending = null;
        for (var swap = 0; swap < MaxSwaps; swap++)
        {
            switch (await reader.Look(logName, cancellation))
            {
                case ChainLookup.Found found when (ending ??= found.Record.Value.LogId) == found.Record.Value.LogId:
                    if (await TryFinish(found.Record, cancellation))
                    {
                        return;
                    }

                    break;
                case ChainLookup.None when ending is null && !await UnlistWithoutChain(logName, cancellation):
                    throw new UnknownLogException(logName);
                case ChainLookup.Lost lost when lost.CatalogueToo || !await IsOnlyListed(logName, cancellation):
                    throw new ChainStoreException(ChainStoreProblem.Lost, lost.Why);
                case ChainLookup.Lost:
                    await UnlistWithoutChain(logName, cancellation);
                    return;
                default:
                    // Someone else finished it; what has the name now is another log.
                    return;
            }
        }

        throw new ChainStoreException(ChainStoreProblem.Away, $"Log '{logName}' changed {MaxSwaps} times while it was to be deleted. Retry.");
    }

    /// <summary>Does what is left to do of a deletion; false when the chain changed meanwhile.</summary>
    /// <exception cref="NodeUnavailableException">The open segment's node does not answer: it may still acknowledge appends.</exception>
    public async Task<bool> Finish(Versioned<Chain> record, CancellationToken cancellation)
    {
        var chain = record.Value;
        if (chain.WriteSegment is { } open)
        {
            switch (await fencing.Fence(chain, open, cancellation))
            {
                case FenceDecision.NewerChain newer:
                    await reader.ReadNewer(chain, $"node '{newer.Node}'", newer.Version, cancellation);
                    return false;
                case FenceDecision.TooFew few:
                    throw new NodeUnavailableException(open.Primary, $"log '{chain.LogName}' is not deleted: {few.Why}");
            }
        }

        await catalogue.Unlist(chain.LogName, chain.LogId, cancellation);
        if (!await records.RemoveChain(chain.LogName, record, cancellation))
        {
            return false;
        }

        // A newer chain that lists nothing: what a node does with files that a newer chain does not list is right for these.
        var nothing = chain with { Version = chain.Version + 1, Segments = [] };
        var holders = chain.Segments.SelectMany(segment => segment.Ensemble).Select(node => node.Name).Distinct(StringComparer.Ordinal);
        await Task.WhenAll(holders.Select(node => nodes.Announce(node, nothing, cancellation)));
        return true;
    }

    private async Task<bool> TryFinish(Versioned<Chain> record, CancellationToken cancellation)
    {
        try
        {
            return await Finish(record, cancellation);
        }
        catch (ChainStoreException away) when (away.Problem == ChainStoreProblem.Away)
        {
            // The outcome is unknown; the read that follows tells it, or fails the same way.
            return false;
        }
    }

    /// <summary>Takes a log off the list whose chain was never written, or is lost without a trace.</summary>
    private async Task<bool> UnlistWithoutChain(string logName, CancellationToken cancellation)
    {
        var listed = (await catalogue.Require(cancellation)).Value;
        if (!listed.Logs.TryGetValue(logName, out var id))
        {
            return false;
        }

        await catalogue.Unlist(logName, id, cancellation);
        return true;
    }

    /// <summary>Whether every live node answers and none has a trace of the log.</summary>
    private async Task<bool> IsOnlyListed(string logName, CancellationToken cancellation)
    {
        var deleted = (await catalogue.Require(cancellation)).Value.Deleted;
        return (await NodeInventory.Of(nodes, nodes.Live, logName, cancellation)).All(answer =>
            answer.Answer.IsKnown && !answer.Known.Any(log => NodeInventory.IsTrace(log) && !deleted.Contains(log.LogId)));
    }
}
