namespace KawaOrleans.Server.Protocol;

/// <summary>Opens a log's next segment: fence the open one, decide its end, prepare the next on its nodes, swap both into the
/// chain, tell the nodes. Stopping anywhere leaves a state from which the next caller goes on.</summary>
internal sealed class WriteSegmentOpening(
    IChainRecords records, INodes nodes, LogOptions newLogs, ChainReader reader, CatalogueChanger catalogue, LogCreation creation,
    LogDeletion deletion, Fencing fencing, Announcement announcement, SegmentReport report, NextSegment claims)
{
    private const int MaxSwaps = 20;

    public async Task<Chain> Open(string logName, Guid? after, int batchBytes, CancellationToken cancellation)
    {
        IReadOnlyList<ChainNode> told = [];
        ChainStoreException? away = null;
        string? whyClosed = null;
        Guid? goesOn = null;
        Guid? unsure = null;
        var untold = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var swap = 0; swap < MaxSwaps; swap++)
        {
            var record = await reader.Find(logName, cancellation) ?? await creation.Ensure(logName, newLogs, cancellation);
            var chain = record.Value;
            var open = chain.WriteSegment;
            if (open is not null && (open.Id != after || open.Id == goesOn))
            {
                var answer = await announcement.ToWriter(chain, [.. open.Ensemble, .. told], cancellation);
                if (answer.Unknown is { } reason)
                {
                    if (open.Ensemble.Count == 1)
                    {
                        throw new LogNotWritableException(logName, $"node '{open.Primary}' was not reached to be told of its segment {open.Id:N} ({reason})");
                    }

                    // As good as a report, where others can go on. And when that finds it well: a writer that cannot be told of its segment writes nothing.
                    if (open.Id == after)
                    {
                        untold.Add(open.Primary, $"it was not reached to be told of its segment {open.Id:N}: {reason}");
                    }

                    (after, unsure, goesOn) = (open.Id, open.Id, null);
                }
                else if (answer.Value == chain.Version)
                {
                    return chain;
                }
                else
                {
                    await reader.ReadNewer(chain, $"node '{open.Primary}'", answer.Value, cancellation);
                }
            }
            else if (open is null && whyClosed is not null)
            {
                await announcement.To(chain, told, cancellation);
                throw new LogNotWritableException(logName, whyClosed);
            }
            else if (away is not null)
            {
                // The store did not say what became of our swap, and it did not take effect.
                throw away;
            }
            else if (await catalogue.Settle(chain, cancellation) is not { } listed)
            {
                await deletion.Finish(record, cancellation);
            }
            else if (open is not null && !untold.ContainsKey(open.Primary) && await GoesOn(chain, open, open.Id != unsure, listed.Cookie, batchBytes, cancellation))
            {
                goesOn = open.Id;
            }
            else if (await End(chain, cancellation) is { } ended)
            {
                (var next, whyClosed) = await claims.Claim(chain, ended, listed.Cookie, batchBytes, untold, cancellation);
                told = open?.Ensemble ?? [];
                next ??= Closed(chain, ended) ?? throw new LogNotWritableException(logName, whyClosed!);
                try
                {
                    await records.SwapChain(logName, record, next, cancellation);
                }
                catch (ChainStoreException unknown) when (unknown.Problem == ChainStoreProblem.Away)
                {
                    away = unknown;
                }
            }
        }

        throw new LogNotWritableException(logName, $"its chain changed {MaxSwaps} times while a segment was to be opened");
    }

    /// <summary>True when the segment reported is written all the same, and a next one would not lie on more nodes, where it <paramref name="mayGrow"/>.</summary>
    private async Task<bool> GoesOn(Chain chain, ChainSegment open, bool mayGrow, Guid cookie, int batchBytes, CancellationToken cancellation)
    {
        if (await report.WhyEnd(open, cancellation) is not null)
        {
            return false;
        }

        return !mayGrow || !report.HasTooFewNodes(chain, open)
            || (await claims.Choose(chain, open.Ensemble, cookie, SegmentSizing.Next(chain, batchBytes), [], cancellation)).Ensemble.Count
                <= open.Ensemble.Count(node => nodes.Live.Contains(node.Name));
    }

    /// <summary>The chain with the segment ended and none open, so that all of it can be read while too few nodes live to go on; null when that
    /// changes nothing.</summary>
    private static Chain? Closed(Chain chain, FenceDecision.Ended ended) =>
        chain.WriteSegment is { Ensemble.Count: > 1 } ? ChainRules.Closed(chain, ended.End) : null;

    private async Task<FenceDecision.Ended?> End(Chain chain, CancellationToken cancellation)
    {
        if (chain.WriteSegment is not { } open)
        {
            return new FenceDecision.Ended(ChainRules.End(chain)!.Value, await LastTimestamp(chain, cancellation))
            {
                WholeFirst = chain.Segments.Count == 0 ? [] : chain.Segments[^1].Ensemble,
            };
        }

        switch (await fencing.End(chain, open, cancellation))
        {
            case FenceDecision.Ended ended:
                return ended;
            case FenceDecision.NewerChain newer:
                await reader.ReadNewer(chain, $"node '{newer.Node}'", newer.Version, cancellation);
                return null;
            case FenceDecision.TwoWriters broken:
                throw new SegmentFaultedException(open.Id, open.Primary, broken.Why);
            case FenceDecision.TooFew few:
                throw new LogNotWritableException(chain.LogName, few.Why);
            default:
                throw new InvalidOperationException("A fence has no such outcome.");
        }
    }

    /// <summary>The time of the log's last event, from a node that holds it: the times of a log never go back.</summary>
    /// <exception cref="LogNotWritableException">No node that answers holds it.</exception>
    private async Task<long> LastTimestamp(Chain chain, CancellationToken cancellation)
    {
        if (chain.Segments.Count == 0)
        {
            return 0;
        }

        var last = chain.Segments[^1];
        var times = (await NodeInventory.Of(nodes, last.Ensemble.Select(node => node.Name), chain.LogName, cancellation))
            .SelectMany(answer => answer.Known).Where(log => log.LogId == chain.LogId).SelectMany(log => log.Replicas)
            .Where(replica => replica.Segment.Id == last.Id && replica.State is ReplicaState.Open or ReplicaState.Fenced or ReplicaState.Sealed && replica.Tail >= last.End)
            .Select(replica => replica.LastTimestamp).ToList();
        return times.Count > 0 ? times.Max() : throw new LogNotWritableException(chain.LogName,
            $"none of the nodes {string.Join(", ", last.Ensemble.Select(node => $"'{node.Name}'"))} that answer holds its last event, before which the next one must not be dated");
    }
}
