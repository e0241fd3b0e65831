namespace KawaOrleans.Server.Protocol;

/// <summary>Changes the list of logs, by compare-and-swap.</summary>
internal sealed class CatalogueChanger(IChainRecords records, INodes nodes, Func<Guid> newId)
{
    // Every lost swap is another changer's progress; so many in a row mean that something else is wrong.
    private const int MaxSwaps = 1000;

    /// <summary>The catalogue; made when the store and all live nodes are new.</summary>
    /// <exception cref="ChainStoreException">The store has none although a node knows the cluster, or may.</exception>
    public async Task<Versioned<Catalogue>> Require(CancellationToken cancellation)
    {
        while (true)
        {
            if (await records.ReadCatalogue(cancellation) is { } record)
            {
                return record;
            }

            await RequireNew(cancellation);
            if (await records.SwapCatalogue(null, Empty(newId()), cancellation) is { } made)
            {
                return made;
            }
        }
    }

    /// <summary>The catalogue; made anew, with the cookie that the nodes remember, when the store has none.</summary>
    /// <param name="givenUp">Nodes that the operator says will never answer. With the catalogue went the list of logs, so that a
    /// node that is away may hold one that no other knows: it answers, or is given up.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="ChainStoreException">The nodes remember different ones, or one is missing.</exception>
    public async Task<Versioned<Catalogue>> RequireForRebuild(IReadOnlyCollection<string> givenUp, CancellationToken cancellation)
    {
        while (true)
        {
            if (await records.ReadCatalogue(cancellation) is { } record)
            {
                return record;
            }

            if (!givenUp.Contains(RebuildCommand.EveryMissingNode) && nodes.Missing.Except(givenUp).ToList() is { Count: > 0 } missing)
            {
                throw new ChainStoreException(ChainStoreProblem.CannotRebuild,
                    $"The catalogue was lost, and nodes that may hold logs are not alive: {string.Join(", ", missing)}. "
                    + $"Start them, or give up what they alone hold: {RebuildCommand.ForAll}");
            }

            var cookies = (await Reports(cancellation))
                .Where(report => report is { IsKnown: true, Value: { } node } && node.Cookie != Guid.Empty)
                .Select(report => report.Value!).GroupBy(node => node.Cookie).ToList();
            if (cookies.Count > 1)
            {
                throw new ChainStoreException(ChainStoreProblem.Foreign, "The nodes belong to different clusters: "
                    + string.Join(", ", cookies.Select(group => $"'{group.First().Node.Name}' to {group.Key:N}"))
                    + ". Stop the nodes that are not of this one, then rebuild.");
            }

            var cookie = cookies.Count == 1 ? cookies[0].Key : newId();
            if (await records.SwapCatalogue(null, Empty(cookie), cancellation) is { } made)
            {
                return made;
            }
        }
    }

    /// <summary>Lists a log that is about to be created and answers with its id: a new one, or that of a creation that was not
    /// finished. Null when the log is listed as created.</summary>
    public async Task<Guid?> Claim(string logName, CancellationToken cancellation)
    {
        var id = newId();
        var catalogue = await Change(now => now.Logs.ContainsKey(logName) ? null : now with
        {
            Logs = With(now, logName, id),
            Creating = [.. now.Creating, id],
        }, cancellation);
        var listed = catalogue.Logs[logName];
        return catalogue.Creating.Contains(listed) ? listed : null;
    }

    /// <summary>Makes the catalogue list this chain's log as created, and answers with it; null when the log was deleted and its
    /// chain only waits to be removed.</summary>
    /// <exception cref="ChainStoreException">The catalogue lists another log by this name.</exception>
    public async Task<Catalogue?> Settle(Chain chain, CancellationToken cancellation)
    {
        var catalogue = await Change(now => now.Deleted.Contains(chain.LogId) || IsOther(now, chain) || IsSettled(now, chain) ? null : now with
        {
            Logs = With(now, chain.LogName, chain.LogId),
            Creating = [.. now.Creating.Where(id => id != chain.LogId)],
        }, cancellation);
        if (catalogue.Deleted.Contains(chain.LogId))
        {
            return null;
        }

        return IsOther(catalogue, chain)
            ? throw new ChainStoreException(ChainStoreProblem.RolledBack,
                $"The catalogue lists log '{chain.LogName}' as {catalogue.Logs[chain.LogName]:N}, its chain record is of {chain.LogId:N}: "
                + "one of the two records is from another time. Restore the newer ones.")
            : catalogue;
    }

    /// <summary>Takes the log off the list, for ever.</summary>
    public Task Unlist(string logName, Guid logId, CancellationToken cancellation) => Change(now => now.Deleted.Contains(logId) ? null : now with
    {
        Logs = now.Logs.Where(log => log.Key != logName || log.Value != logId).ToDictionary(log => log.Key, log => log.Value, StringComparer.Ordinal),
        Creating = [.. now.Creating.Where(id => id != logId)],
        Deleted = [.. now.Deleted, logId],
    }, cancellation);

    /// <summary>Notes that a data directory is lost for ever.</summary>
    public Task<Catalogue> GiveUp(ChainNode node, CancellationToken cancellation) => Change(now => now.IsGivenUp(node.Id) ? null : now with
    {
        GivenUp = [.. now.GivenUp, node],
    }, cancellation);

    private static Catalogue Empty(Guid cookie) => new() { Cookie = cookie, Logs = new Dictionary<string, Guid>(), Deleted = [] };

    private static bool IsOther(Catalogue now, Chain chain) => now.Logs.TryGetValue(chain.LogName, out var id) && id != chain.LogId;

    private static bool IsSettled(Catalogue now, Chain chain) => now.Logs.ContainsKey(chain.LogName) && !now.Creating.Contains(chain.LogId);

    private static Dictionary<string, Guid> With(Catalogue now, string logName, Guid id) =>
        new(now.Logs, StringComparer.Ordinal) { [logName] = id };

    private async Task<Catalogue> Change(Func<Catalogue, Catalogue?> change, CancellationToken cancellation)
    {
        for (var swap = 0; swap < MaxSwaps; swap++)
        {
            var record = await Require(cancellation);
            if (change(record.Value) is not { } next)
            {
                return record.Value;
            }

            if (await records.SwapCatalogue(record, next, cancellation) is { } swapped)
            {
                return swapped.Value;
            }
        }

        throw new ChainStoreException(ChainStoreProblem.Away, $"The catalogue changed {MaxSwaps} times while it was to be changed. Retry.");
    }

    private Task<NodeAnswer<NodeReport>[]> Reports(CancellationToken cancellation) =>
        Task.WhenAll(nodes.Live.Select(node => nodes.Report(node, cancellation)));

    private async Task RequireNew(CancellationToken cancellation)
    {
        var live = nodes.Live;
        var reports = await Task.WhenAll(live.Select(node => nodes.Report(node, cancellation)));
        var inventories = await NodeInventory.Of(nodes, live, null, cancellation);
        for (var i = 0; i < live.Count; i++)
        {
            var remembers = reports[i] is { IsKnown: true, Value: { } report } && report.Cookie != Guid.Empty;
            if (remembers || inventories[i].Known.Any(NodeInventory.IsTrace))
            {
                throw new ChainStoreException(ChainStoreProblem.Lost,
                    $"The chain store has no catalogue, but node '{live[i]}' belongs to a cluster: the store was lost, or it is another one. "
                    + $"Restore it, or write it anew from what the nodes hold: {RebuildCommand.ForAll}");
            }
        }

        for (var i = 0; i < live.Count; i++)
        {
            if ((reports[i].Unknown ?? inventories[i].Answer.Unknown) is { } reason)
            {
                throw new ChainStoreException(ChainStoreProblem.Away,
                    $"The chain store has no catalogue, and node '{live[i]}' does not say whether that is because it is new ({reason}). Retry.");
            }
        }
    }
}
