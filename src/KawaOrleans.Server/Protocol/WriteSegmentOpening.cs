namespace KawaOrleans.Server.Protocol;

/// <summary>Opens a log's next segment: fence the open one, decide its end, prepare the next on its nodes, swap both into the
/// chain, tell the nodes. Stopping anywhere leaves a state from which the next caller goes on.</summary>
internal sealed class WriteSegmentOpening(
    IChainRecords records, INodes nodes, LogOptions newLogs, ChainReader reader, CatalogueChanger catalogue, LogCreation creation,
    LogDeletion deletion, Fencing fencing, Announcement announcement, SegmentReport report, NextSegment claims)
{
    private const int MaxSwaps = 20;

    public async Task<Chain> Open(string logName, Guid? after, int batchBytes, Guid? nextId, CancellationToken cancellation)
    {
        IReadOnlyList<ChainNode> told = [];
        ChainStoreException? away = null;
        Versioned<Chain>? swapped = null;
        string? whyClosed = null;
        Guid? goesOn = null;
        Guid? unsure = null;
        var untold = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var swap = 0; swap < MaxSwaps; swap++)
        {
            var record = swapped ?? await reader.Find(logName, cancellation) ?? await creation.Ensure(logName, newLogs, cancellation);
            (var chain, swapped) = (record.Value, null);
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
                        untold[open.Primary] = $"it was not reached to be told of its segment {open.Id:N}: {reason}";
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
            else
            {
                var standing = open is null || untold.ContainsKey(open.Primary) ? null : await report.Ask(open, cancellation);
                if (standing is { WhyEnd: null } && !(open!.Id != unsure && await MayLieOnMore(chain, open, listed.Cookie, batchBytes, cancellation)))
                {
                    goesOn = open.Id;
                    continue;
                }

                // What nodes say of themselves is there when the fence is.
                var reports = claims.AskAhead(open?.Ensemble ?? [], cancellation);
                if (await End(chain, standing, cancellation) is not { } ended)
                {
                    continue;
                }

                (var next, whyClosed) = await claims.Claim(chain, ended, nextId, reports, listed.Cookie, batchBytes, untold, cancellation);
                (told, nextId) = (open?.Ensemble ?? [], null);
                next ??= Closed(chain, ended) ?? throw new LogNotWritableException(logName, whyClosed!);
                try
                {
                    swapped = await records.SwapChain(logName, record, next, cancellation);
                    reader.Saw(swapped);
                }
                catch (ChainStoreException unknown) when (unknown.Problem == ChainStoreProblem.Away)
                {
                    away = unknown;
                }
            }
        }

        throw new LogNotWritableException(logName, $"its chain changed {MaxSwaps} times while a segment was to be opened");
    }

    /// <summary>True when a next segment would lie on more nodes than those of this one that live: then it is worth ending although it goes on.</summary>
    private async Task<bool> MayLieOnMore(Chain chain, ChainSegment open, Guid cookie, int batchBytes, CancellationToken cancellation) =>
        report.HasTooFewNodes(chain, open)
        && (await claims.Choose(chain, open.Ensemble, claims.AskAhead([], cancellation), cookie, SegmentSizing.Next(chain, batchBytes), [])).Ensemble.Count
            > open.Ensemble.Count(node => nodes.Live.Contains(node.Name));

    /// <summary>The chain with the segment ended and none open, so that all of it can be read while too few nodes live to go on; null when that
    /// changes nothing.</summary>
    private static Chain? Closed(Chain chain, FenceDecision.Ended ended) =>
        chain.WriteSegment is { Ensemble.Count: > 1 } ? ChainRules.Closed(chain, ended.End) : null;

    private async Task<FenceDecision.Ended?> End(Chain chain, WriterStanding? standing, CancellationToken cancellation)
    {
        if (chain.WriteSegment is not { } open)
        {
            return new FenceDecision.Ended(ChainRules.End(chain)!.Value, await LastTimestamp(chain, cancellation))
            {
                WholeFirst = chain.Segments.Count == 0 ? [] : chain.Segments[^1].Ensemble,
            };
        }

        switch (await fencing.End(chain, open, standing?.IsAcknowledged == true, cancellation))
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
