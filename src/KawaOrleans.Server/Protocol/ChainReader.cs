using System.Collections.Concurrent;

namespace KawaOrleans.Server.Protocol;

/// <summary>Reads chains, and notices a store that lost them or went back in time by what the nodes remember.</summary>
internal sealed class ChainReader(IChainRecords records, INodes nodes, ChainRebuild rebuild)
{
    private const int MaxReads = 20;

    private readonly ConcurrentDictionary<string, Compared> _compared = new(StringComparer.Ordinal);

    /// <summary>The log's record, or null when there is no such log. A lost one is rebuilt where that needs no operator.</summary>
    /// <exception cref="ChainStoreException">It was lost, or is older than one that a live node was told of.</exception>
    public async Task<Versioned<Chain>?> Find(string logName, CancellationToken cancellation)
    {
        var lookup = await Look(logName, cancellation);
        if (lookup is ChainLookup.Lost lost)
        {
            if (!await rebuild.MayBeAutomatic(cancellation))
            {
                throw new ChainStoreException(ChainStoreProblem.Lost, lost.Why);
            }

            if (lost.CatalogueToo)
            {
                await rebuild.All([], cancellation);
            }

            // Says why if it cannot; does nothing if it is done.
            await rebuild.One(logName, [], cancellation);
            lookup = await Look(logName, cancellation);
        }

        return (lookup as ChainLookup.Found)?.Record;
    }

    /// <summary>The log's chain, or why there is none.</summary>
    /// <exception cref="ChainStoreException">It is older than one that a live node was told of.</exception>
    public async Task<ChainLookup> Look(string logName, CancellationToken cancellation)
    {
        for (var read = 0; read < MaxReads; read++)
        {
            if (await records.ReadChain(logName, cancellation) is { } record)
            {
                if (await Compare(record, cancellation) is { } compared)
                {
                    return new ChainLookup.Found(compared);
                }
            }
            else if (await LookForTraces(logName, cancellation) is { } lookup)
            {
                return lookup;
            }
        }

        throw new ChainStoreException(ChainStoreProblem.Away, $"Log '{logName}' was created and deleted {MaxReads} times while it was read. Retry.");
    }

    /// <summary>Reads again because someone knows a newer version. Null when the log is gone.</summary>
    /// <exception cref="ChainStoreException">The store still has an older one.</exception>
    public async Task<Versioned<Chain>?> ReadNewer(Chain older, string knownBy, long version, CancellationToken cancellation)
    {
        var now = await records.ReadChain(older.LogName, cancellation);
        return now is null || now.Value.LogId != older.LogId || now.Value.Version >= version
            ? now
            : throw new ChainStoreException(ChainStoreProblem.RolledBack,
                $"The chain store has version {now.Value.Version} of log '{older.LogName}', but {knownBy} was told version {version}: "
                + "the store went back in time. Restore the newer record, or write it anew from what the nodes hold: "
                + RebuildCommand.For(older.LogName));
    }

    /// <summary>Takes note of a chain that this process swapped in: the store must not be older from now on. Null: it did not.</summary>
    public void Saw(Versioned<Chain>? swapped)
    {
        if (swapped?.Value is { } chain && _compared.TryGetValue(chain.LogName, out var before) && before.LogId == chain.LogId && chain.Version > before.Version)
        {
            _compared.TryUpdate(chain.LogName, before with { Version = chain.Version }, before);
        }
    }

    /// <summary>Compares a chain with what this process saw before and with what each live node was told, once per node.</summary>
    private async Task<Versioned<Chain>?> Compare(Versioned<Chain> record, CancellationToken cancellation)
    {
        var (name, id) = (record.Value.LogName, record.Value.LogId);
        var before = _compared.TryGetValue(name, out var known) && known.LogId == id ? known : new Compared(id, 0, []);
        var current = record;
        if (before.Version > record.Value.Version)
        {
            current = await ReadNewer(record.Value, "this process", before.Version, cancellation);
        }

        var live = nodes.Live;
        var unasked = live.Where(node => !before.Asked.Contains(node)).ToList();
        if (unasked.Count > 0 && current is not null)
        {
            var (newest, knownBy) = (current.Value.Version, "");
            foreach (var answer in await NodeInventory.Of(nodes, unasked, name, cancellation))
            {
                var told = answer.Known.FirstOrDefault(log => log.LogId == id)?.SavedChain?.Version ?? 0;
                (newest, knownBy) = told > newest ? (told, $"node '{answer.Node}'") : (newest, knownBy);
            }

            if (newest > current.Value.Version)
            {
                current = await ReadNewer(current.Value, knownBy, newest, cancellation);
            }
        }

        if (current is null || current.Value.LogId != id)
        {
            return null;
        }

        // A node that left is asked again when it returns: it may have been told more than this process saw.
        var asked = unasked.Count == 0 && before.Asked.Count == live.Count ? before.Asked : [.. live];
        if (asked != before.Asked || current.Value.Version > before.Version)
        {
            var now = new Compared(id, current.Value.Version, asked);
            _compared.AddOrUpdate(name, now, (_, other) => other.LogId == id && other.Version > now.Version ? now with { Version = other.Version } : now);
        }

        return current;
    }

    /// <summary>What a missing record means. Null when it is no longer missing, or was being created or deleted meanwhile.</summary>
    private async Task<ChainLookup?> LookForTraces(string logName, CancellationToken cancellation)
    {
        // In this order: a trace is older than the catalogue read after it, so that the catalogue lists its log or says that it
        // was deleted. And a log that two equal catalogues list has a chain in between, unless it was lost.
        var inventories = await NodeInventory.Of(nodes, nodes.Live, logName, cancellation);
        var before = await records.ReadCatalogue(cancellation);
        if (await records.ReadChain(logName, cancellation) is not null)
        {
            return null;
        }

        var after = await records.ReadCatalogue(cancellation);
        if (before?.Tag != after?.Tag)
        {
            return null;
        }

        var traces = inventories.SelectMany(answer => answer.Known, (answer, log) => (answer.Node, Log: log))
            .Where(answer => answer.Log.LogName == logName && NodeInventory.IsTrace(answer.Log) && after?.Value.Deleted.Contains(answer.Log.LogId) != true)
            .ToList();
        if (traces.Count > 0)
        {
            return Lost(logName, $"node '{traces[0].Node}' holds files of it (log {traces[0].Log.LogId:N})", after is null);
        }

        if (after is null)
        {
            var reports = await Task.WhenAll(nodes.Live.Select(node => nodes.Report(node, cancellation)));
            return reports.FirstOrDefault(report => report is { IsKnown: true, Value: { } node } && node.Cookie != Guid.Empty).Value is { } joined
                ? Lost(logName, $"node '{joined.Node.Name}' belongs to a cluster and there is no catalogue either", true)
                : new ChainLookup.None();
        }

        return after.Value.Logs.TryGetValue(logName, out var id) && !after.Value.Creating.Contains(id)
            ? Lost(logName, $"the catalogue lists it (log {id:N})", false)
            : new ChainLookup.None();
    }

    private static ChainLookup.Lost Lost(string logName, string evidence, bool catalogueToo) => new(
        $"The chain store has no chain of log '{logName}', but {evidence}: it was lost. Restore it, or write it anew from what the nodes hold: "
        + RebuildCommand.For(logName), catalogueToo);

    /// <summary>The newest version of a log's chain seen by this process, and the nodes that were asked for theirs.</summary>
    private sealed record Compared(Guid LogId, long Version, HashSet<string> Asked);
}

/// <summary>What there is under a log's name.</summary>
internal abstract record ChainLookup
{
    /// <summary>Its chain.</summary>
    public sealed record Found(Versioned<Chain> Record) : ChainLookup;

    /// <summary>No such log.</summary>
    public sealed record None : ChainLookup;

    /// <summary>A log whose chain the store no longer has; perhaps the catalogue is gone too.</summary>
    public sealed record Lost(string Why, bool CatalogueToo) : ChainLookup;
}
