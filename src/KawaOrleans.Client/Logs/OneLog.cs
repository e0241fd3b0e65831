namespace KawaOrleans.Client;

/// <summary>The chains of one log during a sequence of reads: never those of another log that took over the name.</summary>
/// <param name="chains">The log's chains.</param>
/// <param name="end">How far it is known to be committed.</param>
internal sealed class OneLog(ChainCache chains, KnownEnd end)
{
    private volatile Chain? _chain;
    private ChainSegment? _unanswered;

    /// <summary>The chain seen last; null before the first.</summary>
    public Chain? Chain => _chain;

    /// <summary>A chain, the cached one where there is one other than the stale.</summary>
    /// <exception cref="UnknownLogException">The name belongs to another log now.</exception>
    public async ValueTask<Chain> GetAsync(Chain? stale, Retries.Budget budget, CancellationToken cancellation) => Stay(
        chains.Known(stale) ?? await Retries.RunAsync(budget, (left, token) => chains.GetAsync(stale, left.Patience, token), cancellation).ConfigureAwait(false));

    /// <summary>Begins with the log of this chain, whatever was seen before.</summary>
    public void Begin(Chain chain)
    {
        _chain = chain;
        end.Begin(chain.LogId);
    }

    /// <summary>What a replica of a segment must know to answer for it: of an ended segment all, of an open one what this client has seen of the log. An only
    /// replica has nobody to be behind of.</summary>
    public long AtLeast(Chain chain, ChainSegment segment) => segment.Ensemble.Count == 1 ? 0 : segment.End ?? end.Of(chain.LogId);

    /// <summary>Takes note of how far a replica says that the log is committed: this client has seen so much of it.</summary>
    public void Saw(Chain chain, long committed) => end.Reached(chain.LogId, committed);

    /// <summary>Whether asking again may help after an error of a segment, where it is looked for in this chain.</summary>
    public async Task<bool> MayHelpAsync(
        KawaException error, Chain seen, ChainSegment segment, Func<Chain, ChainSegment?> choose, Retries.Budget budget, CancellationToken cancellation)
    {
        if (error is SegmentUnavailableException { IsRetryable: true } && segment.IsOpen)
        {
            await ReportAsync(segment, budget, cancellation).ConfigureAwait(false);
            return true;
        }

        return Failure.IsWorthAnotherRead(error) || await HasMovedAsync(seen, segment, choose, budget, cancellation).ConfigureAwait(false);
    }

    /// <summary>No replica of an open segment answered, the second time. If its primary is gone, or came back and is not resumed, what is acknowledged of
    /// it is known again once it is ended: whoever appends reports that, and so does whoever reads.</summary>
    private async Task ReportAsync(ChainSegment segment, Retries.Budget budget, CancellationToken cancellation)
    {
        if (_unanswered?.Id != segment.Id)
        {
            _unanswered = segment;
            return;
        }

        try
        {
            await chains.GetOpenAsync(segment.Id, 0, budget.Patience, cancellation).ConfigureAwait(false);
        }
        catch (KawaException e) when (e is not UnknownLogException)
        {
            // What the segment said is worth more to the caller than that it was not ended.
        }
    }

    private Chain Stay(Chain chain)
    {
        if (_chain is { } before && before.LogId != chain.LogId)
        {
            throw new UnknownLogException(chain.LogName);
        }

        Begin(chain);
        return chain;
    }

    /// <summary>Whether what was looked for in a segment lies elsewhere by now.</summary>
    private async Task<bool> HasMovedAsync(
        Chain seen, ChainSegment segment, Func<Chain, ChainSegment?> choose, Retries.Budget budget, CancellationToken cancellation)
    {
        try
        {
            var chain = await chains.GetAsync(seen, budget.Patience, cancellation).ConfigureAwait(false);
            return choose(chain) is not { } now || now.Id != segment.Id || !now.Ensemble.SequenceEqual(segment.Ensemble);
        }
        catch (KawaException e) when (e is not UnknownLogException)
        {
            // What the segment said is worth more to the caller than that the directory says nothing.
            return false;
        }
    }
}
