namespace KawaOrleans.Client;

/// <summary>The chains of one log during a sequence of reads: never those of another log that took over the name.</summary>
internal sealed class OneLog(ChainCache chains)
{
    private volatile Chain? _chain;

    /// <summary>The chain seen last; null before the first.</summary>
    public Chain? Seen => _chain;

    /// <summary>A chain, the cached one where there is one other than the stale.</summary>
    /// <exception cref="UnknownLogException">The name belongs to another log now.</exception>
    public async ValueTask<Chain> GetAsync(Chain? stale, Retries.Budget budget, CancellationToken cancellation) => Stay(
        chains.Known(stale) ?? await Retries.RunAsync(budget, (left, token) => chains.GetAsync(stale, left.Patience, token), cancellation).ConfigureAwait(false));

    /// <summary>Begins with the log of this chain, whatever was seen before.</summary>
    public void Begin(Chain chain) => _chain = chain;

    private Chain Stay(Chain chain) => _chain is { } before && before.LogId != chain.LogId ? throw new UnknownLogException(chain.LogName) : _chain = chain;

    /// <summary>Whether what was looked for in a segment lies elsewhere by now.</summary>
    public async Task<bool> HasMovedAsync(
        Chain seen, ChainSegment segment, Func<Chain, ChainSegment?> choose, Retries.Budget budget, CancellationToken cancellation)
    {
        try
        {
            var chain = await chains.GetAsync(seen, budget.Patience, cancellation).ConfigureAwait(false);
            return choose(chain) is not { } now || now.Id != segment.Id || now.Primary != segment.Primary;
        }
        catch (KawaException e) when (e is not UnknownLogException)
        {
            // What the segment said is worth more to the caller than that the directory says nothing.
            return false;
        }
    }
}
