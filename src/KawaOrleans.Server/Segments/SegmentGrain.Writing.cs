using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using Orleans.Runtime;

namespace KawaOrleans.Server.Segments;

/// <summary>When this replica may be written, and what happens when it is full.</summary>
internal sealed partial class SegmentGrain
{
    // An append answers in 5 s; who waited for a roll so long asks the directory instead.
    private static readonly TimeSpan RollWait = TimeSpan.FromSeconds(3);

    // How often a segment on fewer nodes than wanted is looked at: each roll that this causes leaves a small segment behind.
    private static readonly TimeSpan LookForNodesEvery = TimeSpan.FromSeconds(10);

    // Enough for a follower that writes through a slow sync; after it, the segment is ended on the nodes that answer.
    private static readonly TimeSpan AckPatience = TimeSpan.FromSeconds(3);

    // Of a roll that is over: its chain is not kept.
    private static readonly Task<Chain?> Rolled = Task.FromResult<Chain?>(null);

    /// <summary>True while the newest chain this node was told of still lets the writer write.</summary>
    private bool IsCurrent(Opening? opening)
    {
        if (opening is null || host.WhyNotVoting is not null)
        {
            return false;
        }

        var newest = host.Chains.Of(opening.Chain.LogId);
        if (ReferenceEquals(newest, opening.Chain))
        {
            return true;
        }

        if (newest is null || WhyNotWriter(newest) is not null)
        {
            return false;
        }

        _opening = opening with { Chain = newest };
        return true;
    }

    public async Task Begin()
    {
        if (!IsCurrent(_opening))
        {
            await _openings.Run(Open);
        }
    }

    /// <summary>Takes the write handle, or answers why not. Only a chain that lists this segment as open with this node as its
    /// primary allows it; if the newest one kept here does not, the directory is asked once.</summary>
    private async Task<AppendResult?> Open()
    {
        _opening = null;
        if (host.WhyNotVoting is { } unregistered)
        {
            return new NotPrimary($"node '{host.Name}' writes nothing: {unregistered}");
        }

        if (node.Find(_segmentId) is not { } segment)
        {
            return new NotPrimary(node.WhyNotFound(_segmentId));
        }

        if (HasEnded(segment))
        {
            return Ended(segment.Header.LogId);
        }

        var (logId, logName) = (segment.Header.LogId, segment.Header.LogName);
        var chain = host.Chains.Of(logId);
        if (chain is null || WhyNotWriter(chain) is not null)
        {
            if (await AskForChain(logId, logName) is { } unanswered)
            {
                return unanswered;
            }

            chain = host.Chains.Of(logId);
        }

        if (HasEnded(segment))
        {
            return Ended(logId);
        }

        var reason = chain is null ? $"node '{host.Name}' knows no chain of log '{logName}'" : WhyNotWriter(chain);
        return reason is null ? await TakeHandle(segment, chain!) : new NotPrimary(reason);
    }

    private async Task<AppendResult?> TakeHandle(Segment segment, Chain chain)
    {
        try
        {
            if (await heads.Fetch(segment, chain) is { } missing)
            {
                return CannotWrite(missing);
            }

            var openingId = Guid.NewGuid();
            var memory = segment.HasMemory ? null : await recent.Of(segment, chain);
            var (start, writer) = await Task.Run(() =>
                (segment.Tail, memory is null ? segment.OpenWriter(openingId) : segment.OpenWriter(openingId, memory)));
            var feeds = Listed(chain).Ensemble.Count > 1 ? new ReplicaFeeds(segment, chain, openingId, start, nodes, time) : null;
            if (feeds is not null)
            {
                standings.Set(_segmentId, () => feeds.WhyEnd ?? _full, () => feeds.Committed);
                _looking ??= this.RegisterGrainTimer(LookForNodes, LookForNodesEvery, LookForNodesEvery);
            }

            _opening = new Opening(segment, writer, chain, feeds);
            LogOpened(_segmentId, chain.LogName, openingId);
            return null;
        }
        catch (WriterFencedException)
        {
            // Ended meanwhile; or it has several replicas and was opened before: then it is to be ended.
            CannotWrite($"node '{host.Name}' does not take up a segment of several replicas that was opened before");
            return new SegmentEnded();
        }
        catch (HeadsMissingException e)
        {
            return CannotWrite(e.Message);
        }
        catch (StorageException e)
        {
            throw Fault(e);
        }
    }

    /// <summary>Whoever reports this segment is told why.</summary>
    private NotPrimary CannotWrite(string reason)
    {
        standings.Set(_segmentId, () => reason);
        return new NotPrimary(reason);
    }

    private ChainSegment Listed(Chain chain) => chain.Segments.Single(listed => listed.Id == _segmentId);

    private async Task<NotPrimary?> AskForChain(Guid logId, string logName)
    {
        try
        {
            var chain = await chains.Read(logName);
            if (chain.LogId != logId)
            {
                return new NotPrimary($"log '{logName}' is now {chain.LogId:N}; this segment belongs to the deleted {logId:N}");
            }

            await Task.Run(() => node.Announce(chain));
            return null;
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            return new NotPrimary($"node '{host.Name}' was not told that this segment is written, and the directory of log '{logName}' does not say: {e.Message}");
        }
        catch (StorageException e)
        {
            throw Fault(e);
        }
    }

    private string? WhyNotWriter(Chain chain) => WriterRule.WhyNot(chain, _segmentId, host.Name);

    /// <summary>Waits until enough nodes hold what was written here below a position. Nobody is told of a place, a repeat or a conflict before what it
    /// rests on is acknowledged: so an append names its own end. The segment's tail is not it: a chain that ends the segment may have taken it back by now.</summary>
    /// <exception cref="UnknownOutcomeException">They did not in time, or never will: the segment is being ended, and may end before or behind it.</exception>
    private async Task Acknowledged(Opening opening, ReplicaFeeds feeds, long position)
    {
        if (await feeds.WaitAsync(position, AckPatience) is { } reason)
        {
            LogNotAcknowledged(_segmentId, opening.Chain.LogName, reason);
            _ = BeginRoll(opening, batchBytes: 0);
            throw new UnknownOutcomeException(opening.Chain.LogName, reason);
        }
    }

    /// <summary>Fewer nodes hold it than the log wants, and others live: it is ended for one that lies on more.</summary>
    private async Task LookForNodes()
    {
        if (IsCurrent(_opening) && new SegmentReport(nodes).HasTooFewNodes(_opening!.Chain, Listed(_opening.Chain)))
        {
            try
            {
                await Roll(_opening, batchBytes: 0);
            }
            catch (KawaException e)
            {
                LogRollUnanswered(_segmentId, e.Message);
            }
        }
    }

    /// <summary>Opens the log's next segment, once for all callers. The answer may be that this one goes on; then the next caller asks again.</summary>
    private Task<Chain?> BeginRoll(Opening opening, int batchBytes, bool isFull = false)
    {
        if (_goesOn || _roll is null or { IsFaulted: true } or { IsCanceled: true })
        {
            _goesOn = false;
            metrics.Rolled();
            LogRolling(_segmentId, opening.Chain.LogName, opening.Segment.Tail.Position);
            _roll = isFull ? OpenNextHere(opening, batchBytes) : OpenNext(() => chains.OpenWriteSegment(opening.Chain.LogName, _segmentId, batchBytes));
            _ = EndWith(_roll);
        }

        return _roll;
    }

    /// <summary>Once the next segment is open, nothing of the writer is kept but that it ended. The grain stays for readers, and of a log with thousands of
    /// segments as many do: each would hold the chain of its time.</summary>
    private async Task EndWith(Task<Chain?> roll)
    {
        try
        {
            if ((await roll)?.WriteSegment?.Id == _segmentId)
            {
                return;
            }
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            return; // told to who waits for it
        }

        (_opening, _roll) = (null, Rolled);
        _looking?.Dispose();
        _looking = null;
    }

    /// <summary>With the chain that this node keeps, where that says it too.</summary>
    private SegmentEnded Ended(Guid logId) => new()
    {
        Chain = host.Chains.Of(logId) is { WriteSegment: not null } newest && newest.Segments.Any(listed => listed.Id == _segmentId && !listed.IsOpen) ? newest : null,
    };

    /// <summary>All that was written is acknowledged first, so that nobody who waits for that is told of an unknown outcome, and the end is known from this
    /// replica alone. And this silo does it by itself: nobody else has a reason to.</summary>
    private async Task<Chain?> OpenNextHere(Opening opening, int batchBytes)
    {
        if (opening.Feeds is { } feeds)
        {
            await feeds.WaitAsync(opening.Segment.Tail.Position, AckPatience);
        }

        var nextId = _nextId;
        _nextId = null;
        var chain = await OpenNext(() => chains.OpenWriteSegmentHere(opening.Chain.LogName, _segmentId, batchBytes, nextId));
        if (!_goesOn && chain?.WriteSegment is { } next)
        {
            // While the callers go there.
            GrainFactory.GetGrain<ISegmentWriter>(next.Id, next.Primary).Begin().Ignore();
        }

        return chain;
    }

    private async Task<Chain?> OpenNext(Func<Task<Chain>> open)
    {
        var chain = await open();
        _goesOn = chain.WriteSegment?.Id == _segmentId;
        return chain;
    }

    /// <summary>Full: opens the log's next segment, then sends the caller there.</summary>
    private async Task<AppendResult> Roll(Opening opening, int batchBytes, bool isFull = false)
    {
        try
        {
            var chain = await BeginRoll(opening, batchBytes, isFull).WaitAsync(RollWait);
            return chain is null ? Ended(opening.Chain.LogId) : new SegmentEnded { Chain = chain.LogId == opening.Chain.LogId && !_goesOn ? chain : null };
        }
        catch (Exception e) when (e is TimeoutException or (OrleansException and not KawaException))
        {
            LogRollUnanswered(_segmentId, e.Message);
        }

        return new SegmentEnded();
    }

    /// <summary>A quarter full: has the next segment's file made while this one is still written.</summary>
    private void PrepareAhead(Opening opening)
    {
        if (_spareAsked || !opening.Writer.IsQuarterFull)
        {
            return;
        }

        _spareAsked = true;
        var (bytes, nextId) = (SegmentSizing.Next(opening.Chain, batchBytes: 0), Guid.NewGuid());
        _nextId = nextId;
        node.BeginSpare(opening.Chain.LogId, nextId, bytes);
        foreach (var follower in Listed(opening.Chain).Ensemble.Skip(1))
        {
            nodes.PrepareSpare(follower.Name, opening.Chain.LogId, nextId, bytes);
        }
    }

    /// <summary>The write handle of one tenure and the chain that allowed it.</summary>
    private sealed record Opening(Segment Segment, SegmentWriter Writer, Chain Chain, ReplicaFeeds? Feeds)
    {
        /// <summary>Known to this tenure alone: another one begins every run anew.</summary>
        public BlockRuns Runs { get; } = new();
    }
}
