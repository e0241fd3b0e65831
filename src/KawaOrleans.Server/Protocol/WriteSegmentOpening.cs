namespace KawaOrleans.Server.Protocol;

/// <summary>Opens a log's next segment: fence the open one, decide its end, prepare the next on its nodes, swap both into the
/// chain, tell the nodes. Stopping anywhere leaves a state from which the next caller goes on.</summary>
internal sealed class WriteSegmentOpening(
    IChainRecords records, INodes nodes, Func<Guid> newId, ChainReader reader, CatalogueChanger catalogue, LogCreation creation,
    LogDeletion deletion, Fencing fencing, Announcement announcement)
{
    private const int MaxSwaps = 20;

    public async Task<Chain> Open(string logName, Guid? after, int batchBytes, CancellationToken cancellation)
    {
        IReadOnlyList<ChainNode> told = [];
        ChainStoreException? away = null;
        for (var swap = 0; swap < MaxSwaps; swap++)
        {
            var record = await reader.Find(logName, cancellation) ?? await creation.Ensure(logName, new LogOptions(), cancellation);
            var chain = record.Value;
            if (chain.WriteSegment is { } open && open.Id != after)
            {
                if (await IsWritable(chain, open, told, cancellation))
                {
                    return chain;
                }
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
            else if (await Prepare(chain, listed.Cookie, batchBytes, cancellation) is { } next)
            {
                told = chain.WriteSegment?.Ensemble ?? [];
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

    /// <summary>Tells the chain to the open segment's primary: it takes no append before. False when there is a newer chain.</summary>
    private async Task<bool> IsWritable(Chain chain, ChainSegment open, IReadOnlyList<ChainNode> others, CancellationToken cancellation)
    {
        var answer = await announcement.ToWriter(chain, [.. open.Ensemble, .. others], cancellation);
        if (answer.Unknown is { } reason)
        {
            throw new LogNotWritableException(chain.LogName, $"node '{open.Primary}' was not reached to be told of its segment {open.Id:N} ({reason})");
        }

        if (answer.Value == chain.Version)
        {
            return true;
        }

        await reader.ReadNewer(chain, $"node '{open.Primary}'", answer.Value, cancellation);
        return false;
    }

    /// <summary>The chain with a next segment that all its nodes have prepared. Null when there is a newer chain.</summary>
    private async Task<Chain?> Prepare(Chain chain, Guid cookie, int batchBytes, CancellationToken cancellation)
    {
        if (await End(chain, cancellation) is not { } ended)
        {
            return null;
        }

        var fileBytes = SegmentSizing.Next(chain, batchBytes);
        var failed = new Dictionary<string, string>(StringComparer.Ordinal);
        while (true)
        {
            var ensemble = await Choose(chain, cookie, fileBytes, failed, cancellation);
            var segment = new ChainSegment
            {
                Id = newId(), Generation = 0, Epoch = chain.Epoch + 1, Base = ended.End, End = null,
                Ensemble = ensemble, AckQuorum = chain.Options.AckQuorum, FileBytes = fileBytes,
            };
            var next = ChainRules.Rolled(chain, ended.End, segment);
            var claim = new NewSegment
            {
                LogId = chain.LogId, LogName = chain.LogName, Segment = segment, ChainVersion = chain.Version,
                Predecessor = next.Segments.Count > 1 ? next.Segments[^2].Id : null, TimestampFloor = ended.LastTimestamp,
            };
            var answers = await Task.WhenAll(ensemble.Select(node => nodes.Prepare(node.Name, claim, cancellation)));
            for (var i = 0; i < answers.Length; i++)
            {
                if (answers[i].Unknown is { } reason)
                {
                    failed[ensemble[i].Name] = reason;
                }
                else if (answers[i].Value!.Node != ensemble[i])
                {
                    failed[ensemble[i].Name] = $"its data directory is now {answers[i].Value!.Node.Id:N}";
                }
            }

            // A claim that one node did not confirm is dead: the next one has another id.
            if (!ensemble.Any(node => failed.ContainsKey(node.Name)))
            {
                return next;
            }
        }
    }

    private async Task<FenceDecision.Ended?> End(Chain chain, CancellationToken cancellation)
    {
        if (chain.WriteSegment is not { } open)
        {
            return new FenceDecision.Ended(ChainRules.End(chain)!.Value, await LastTimestamp(chain, cancellation));
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

    /// <summary>The highest timestamp that the nodes of the last sealed segment know of: what keeps a log's times from going back
    /// after a rebuild, as far as they answer.</summary>
    private async Task<long> LastTimestamp(Chain chain, CancellationToken cancellation)
    {
        var holders = chain.Segments.TakeLast(1).SelectMany(segment => segment.Ensemble).Select(node => node.Name);
        return (await NodeInventory.Of(nodes, holders, chain.LogName, cancellation))
            .SelectMany(answer => answer.Known).Where(log => log.LogId == chain.LogId)
            .SelectMany(log => log.Replicas).Where(replica => replica.State is ReplicaState.Fenced or ReplicaState.Sealed)
            .Select(replica => replica.LastTimestamp).DefaultIfEmpty(0).Max();
    }

    /// <summary>Asks the nodes of the last segment first: if they can go on, no other is asked.</summary>
    private async Task<IReadOnlyList<ChainNode>> Choose(
        Chain chain, Guid cookie, long fileBytes, Dictionary<string, string> failed, CancellationToken cancellation)
    {
        var current = chain.Segments.Count == 0 ? [] : chain.Segments[^1].Ensemble;
        var reports = new List<NodeReport>();
        await Ask(current.Select(node => node.Name));
        var choice = Among();
        if (choice.Ensemble.Count < chain.Options.Replicas)
        {
            await Ask(nodes.Live.Except(current.Select(node => node.Name)));
            choice = Among();
        }

        return choice.WhyNot is { } reason
            ? throw new LogNotWritableException(chain.LogName, reason
                + string.Concat(failed.Select(node => $"; node '{node.Key}' did not take it ({node.Value})")))
            : choice.Ensemble;

        EnsembleChoice Among() => EnsembleChoice.Among(chain.LogId, chain.Options, current, cookie, reports, fileBytes);

        async Task Ask(IEnumerable<string> names)
        {
            var asked = names.Where(node => !failed.ContainsKey(node)).ToList();
            var answers = await Task.WhenAll(asked.Select(node => nodes.Report(node, cancellation)));
            for (var i = 0; i < answers.Length; i++)
            {
                if (answers[i] is { IsKnown: true, Value: { } report })
                {
                    reports.Add(report);
                }
                else
                {
                    failed[asked[i]] = answers[i].Unknown ?? "it answers nothing";
                }
            }
        }
    }
}
