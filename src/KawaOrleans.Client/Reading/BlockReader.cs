namespace KawaOrleans.Client;

/// <summary>Reads blocks of one log from wherever the chain says that their positions lie, and finds them again when they have moved.
/// One instance serves one sequence of reads, several at a time: it never goes on in another log that took over the name.</summary>
internal sealed class BlockReader(ChainCache chains, SegmentCalls segments, Retries retries, KnownEnd end)
{
    private readonly OneLog _log = new(chains, end);
    private long _committed;

    /// <summary>What is known to be committed: a read below this finds something, or the log lost it.</summary>
    public long KnownEnd => Math.Max(Volatile.Read(ref _committed), _log.Chain is { Segments: [.., var last] } ? last.End ?? last.Base : 0);

    /// <summary>The end of the segment that holds a position, as far as it is known.</summary>
    public long SegmentEnd(long position) => _log.Chain?.Find(position)?.End ?? long.MaxValue;

    /// <summary>Takes the log and what is committed of it from a plan, and sees to a chain at least as new.</summary>
    public async Task FollowAsync(RangePlan plan, Retries.Budget budget, CancellationToken cancellation)
    {
        Learn(plan.To);
        var chain = chains.Known(null);
        if (chain is null || chain.LogId != plan.LogId || chain.Version < plan.ChainVersion)
        {
            var stale = chain;
            chain = await Retries.RunAsync(budget, (left, token) => chains.GetAsync(stale, left.Patience, token), cancellation).ConfigureAwait(false);
        }

        _log.Begin(chain.LogId == plan.LogId ? chain : throw new UnknownLogException(chain.LogName));
        _log.Saw(chain, plan.To);
    }

    /// <returns>What the segment answered; null when the log has no segment for this position now.</returns>
    public Task<ReadResult?> TryReadAsync(ReadRequest request, CancellationToken cancellation) =>
        TryReadAsync(request, retries.Begin(), cancellation);

    /// <summary>The same as a part of something larger, whose budget it shares.</summary>
    public async Task<ReadResult?> TryReadAsync(ReadRequest request, Retries.Budget budget, CancellationToken cancellation)
    {
        var due = KnownEnd;
        Chain? stale = null;
        while (true)
        {
            var chain = await _log.GetAsync(stale, budget, cancellation).ConfigureAwait(false);

            // Asked for again and still the same: then it is the chain, not an old copy of it.
            var isFresh = stale is not null && chain.Version == stale.Version;
            if (Locate(chain, request.From) is not { } segment)
            {
                if (isFresh)
                {
                    return request.From >= due ? null : throw Lost(chain, request.From, due);
                }

                stale = chain;
                continue;
            }

            try
            {
                var result = await segments.ReadAsync(segment, In(chain, segment, request, due), budget.Patience, cancellation).ConfigureAwait(false);
                if (segment.End is { } ends && result.Next >= ends)
                {
                    // A replica may have all of it and not have been told yet that it ended there: the chain says so.
                    result = result with { AtEndOfSegment = true, HasEnded = true };
                }

                Learn(result.Committed);
                _log.Saw(chain, result.Committed);
                var hasGoneOn = segment.IsOpen && result.HasEnded && result.Next <= request.From;
                var isBehindEnd = result.AtEndOfSegment && result.Next <= request.From;
                if (isFresh || !(isBehindEnd || hasGoneOn || request.From > result.Committed))
                {
                    return result.Next > request.From || request.From >= due
                        ? isBehindEnd ? null : result
                        : throw Lost(chain, request.From, due);
                }

                stale = chain;
            }
            catch (KawaException e) when (!Failure.IsFinal(e))
            {
                var mayHelp = await _log.MayHelpAsync(e, chain, segment, now => Locate(now, request.From), budget, cancellation).ConfigureAwait(false);
                if (!mayHelp || !await budget.AgainAsync(cancellation).ConfigureAwait(false))
                {
                    throw;
                }

                stale = chain;
            }
        }
    }

    private void Learn(long committed)
    {
        for (var known = Volatile.Read(ref _committed); committed > known;)
        {
            var found = Interlocked.CompareExchange(ref _committed, committed, known);
            known = found == known ? committed : found;
        }
    }

    private static KawaException Lost(Chain chain, long position, long due) => chain.Segments is [.., var last]
        ? new SegmentFaultedException(last.Id, last.Primary, $"nothing is found at position {position}, though the log was committed up to {due}")
        : new UnknownLogException(chain.LogName);

    /// <summary>The request for one segment. Positions are dense: no more than what is wanted must be known to answer it.</summary>
    private ReadRequest In(Chain chain, ChainSegment segment, ReadRequest request, long due)
    {
        var atLeast = _log.AtLeast(chain, segment);
        atLeast = atLeast == 0 ? 0 : Math.Min(request.To, Math.Max(atLeast, Math.Min(due, segment.End ?? due)));
        return request.From < segment.Base ? request with { From = segment.Base, AtLeast = atLeast }
            : atLeast > 0 ? request with { AtLeast = atLeast }
            : request;
    }

    private static ChainSegment? Locate(Chain chain, long position) =>
        chain.Segments.Count > 0 ? chain.Find(Math.Max(position, chain.Segments[0].Base)) : null;
}
