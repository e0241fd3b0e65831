namespace KawaOrleans.Server.Protocol;

/// <summary>Writes chains and catalogue anew from what the nodes hold.</summary>
internal sealed class ChainRebuild(IChainRecords records, INodes nodes, CatalogueChanger catalogue, Announcement announcement)
{
    private const int MaxSwaps = 20;

    /// <summary>True on a cluster of one node whose logs never were elsewhere: there what it holds is all there is.</summary>
    public async Task<bool> MayBeAutomatic(CancellationToken cancellation)
    {
        if (nodes.Live is not [var only] || nodes.Missing.Count > 0)
        {
            return false;
        }

        var inventory = await nodes.Inventory(only, null, cancellation);
        return inventory.IsKnown && inventory.Value!
            .SelectMany(log => log.SavedChain?.Segments ?? [])
            .SelectMany(segment => segment.Ensemble)
            .All(node => node.Name == only);
    }

    /// <summary>Rebuilds one log. A record that is as new as any that a node was told of stays as it is.</summary>
    /// <exception cref="ChainStoreException">The answers do not prove what the chain was.</exception>
    public async Task<Rebuilt> One(string logName, IReadOnlyCollection<string> givenUp, CancellationToken cancellation)
    {
        for (var swap = 0; swap < MaxSwaps; swap++)
        {
            var listed = (await catalogue.RequireForRebuild(givenUp, cancellation)).Value;
            var record = await records.ReadChain(logName, cancellation);
            var sources = new RebuildSources
            {
                LogName = logName,
                Stored = record?.Value,
                ListedId = listed.Logs.TryGetValue(logName, out var id) && !listed.Creating.Contains(id) ? id : null,
                Deleted = [.. listed.Deleted],
                Answers = await NodeInventory.Of(nodes, nodes.Live, logName, cancellation),
                GivenUp = givenUp,
            };
            switch (RebuildPlan.From(sources))
            {
                case RebuildPlan.Refuse refusal:
                    throw new ChainStoreException(ChainStoreProblem.CannotRebuild, $"Log '{logName}' cannot be rebuilt: {refusal.Why}.");
                case RebuildPlan.Keep keep when await catalogue.Settle(keep.Chain, cancellation) is not null:
                    return new Rebuilt(keep.Chain, []);
                case RebuildPlan.Write write when await catalogue.Settle(write.Chain, cancellation) is not null:
                    if (await records.SwapChain(logName, record, write.Chain, cancellation) is not null)
                    {
                        await announcement.ToAll(write.Chain, record?.Value.Segments.SelectMany(segment => segment.Ensemble) ?? [], cancellation);
                        return new Rebuilt(write.Chain, write.Losses);
                    }

                    break;
                default:
                    throw new UnknownLogException(logName);
            }
        }

        throw new ChainStoreException(ChainStoreProblem.Away, $"Log '{logName}' changed {MaxSwaps} times while it was to be rebuilt. Retry.");
    }

    /// <summary>Rebuilds the catalogue, where it is missing, and every log that it or a node knows of. One log's refusal does not
    /// keep the others.</summary>
    public async Task<RebuiltLogs> All(IReadOnlyCollection<string> givenUp, CancellationToken cancellation)
    {
        var listed = (await catalogue.RequireForRebuild(givenUp, cancellation)).Value;
        var traces = (await NodeInventory.Of(nodes, nodes.Live, null, cancellation))
            .SelectMany(answer => answer.Known)
            .Where(log => NodeInventory.IsTrace(log) && !listed.Deleted.Contains(log.LogId) && Names.WhyNotKey(log.LogName) is null)
            .Select(log => log.LogName);
        var done = new List<Rebuilt>();
        var refusals = new List<string>();
        var created = listed.Logs.Where(log => !listed.Creating.Contains(log.Value)).Select(log => log.Key);
        foreach (var name in created.Concat(traces).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            try
            {
                done.Add(await One(name, givenUp, cancellation));
            }
            catch (ChainStoreException refusal) when (refusal.Problem is not ChainStoreProblem.Away)
            {
                refusals.Add(refusal.Message);
            }
            catch (UnknownLogException)
            {
                // It was deleted since it was listed.
            }
        }

        return new RebuiltLogs(done, refusals);
    }
}

/// <summary>A log's chain as it is after a rebuild, and what was lost by it, a sentence each.</summary>
internal sealed record Rebuilt(Chain Chain, IReadOnlyList<string> Losses);

/// <summary>The logs that have a chain now, and why others have none.</summary>
internal sealed record RebuiltLogs(IReadOnlyList<Rebuilt> Logs, IReadOnlyList<string> Refusals);
