namespace KawaOrleans.Server.Protocol;

/// <summary>Creates logs: listed as being created, then given a chain, then listed as created. Whoever finds one half done finishes it.</summary>
internal sealed class LogCreation(IChainRecords records, ChainReader reader, CatalogueChanger catalogue, LogDeletion deletion)
{
    private const int MaxSwaps = 20;

    /// <summary>The chain of this log, made if there is none.</summary>
    /// <param name="logName">Its name.</param>
    /// <param name="options">What a new one is made with.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<Versioned<Chain>> Ensure(string logName, LogOptions options, CancellationToken cancellation)
    {
        for (var swap = 0; swap < MaxSwaps; swap++)
        {
            if (await reader.Find(logName, cancellation) is { } record)
            {
                if (await catalogue.Settle(record.Value, cancellation) is not null)
                {
                    return record;
                }

                await deletion.Finish(record, cancellation);
            }
            else if (await catalogue.Claim(logName, cancellation) is { } id)
            {
                // The chain is read again in any case: the swap may have lost, or won without our hearing of it.
                await Write(ChainRules.New(id, logName, options), cancellation);
            }
        }

        throw new ChainStoreException(ChainStoreProblem.Away, $"Log '{logName}' changed {MaxSwaps} times while it was to be created. Retry.");
    }

    private async Task Write(Chain chain, CancellationToken cancellation)
    {
        try
        {
            await records.SwapChain(chain.LogName, null, chain, cancellation);
        }
        catch (ChainStoreException away) when (away.Problem == ChainStoreProblem.Away)
        {
            // The outcome is unknown; the read that follows tells it, or fails the same way.
        }
    }
}
