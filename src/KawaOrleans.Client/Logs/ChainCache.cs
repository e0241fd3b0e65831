namespace KawaOrleans.Client;

/// <summary>The newest chain this client has seen of one log. Answers without asking while nobody found it out of date; then one
/// question is asked for all who wait.</summary>
/// <remarks>No answer is given out that is older than what was seen: an append must never be repeated at a segment before one that a try of it went to. A
/// writer there, left behind, would refuse by old revisions what the first try wrote (docs/PROTOCOL.md, P20).</remarks>
internal sealed class ChainCache(LogDirectory directory)
{
    private readonly Lock _gate = new();
    private readonly SharedCall<Chain> _load = new();
    private readonly SharedCall<Chain> _open = new();

    // Replaced only under _gate, and only by a chain that IsNewer; read anywhere.
    private volatile Chain? _current;

    /// <summary>The chain if one is known that is newer than <paramref name="stale"/>.</summary>
    public Chain? Known(Chain? stale) => _current is { } current && IsNewer(current, stale) ? current : null;

    /// <summary>The chain, asked for only when none is known that is newer than <paramref name="stale"/>. An answer that is not newer
    /// means that there is none.</summary>
    public async Task<Chain> GetAsync(Chain? stale, TimeSpan patience, CancellationToken cancellation)
    {
        // A question under way may be older than the caller's finding and be answered with the stale chain: then one more is asked.
        for (var attempt = 0; ; attempt++)
        {
            if (Known(stale) is { } known)
            {
                return known;
            }

            var (answer, isMine) = _load.Join(LoadAsync);
            var chain = Newest(await directory.JoinAsync(answer, patience, cancellation).ConfigureAwait(false));
            if (isMine || attempt > 0 || IsNewer(chain, stale))
            {
                return chain;
            }
        }
    }

    /// <summary>A chain with an open segment that is not <paramref name="after"/>, unless the directory finds that this one goes on; it opens one
    /// if none is known.</summary>
    /// <exception cref="LogNotWritableException">No segment can be opened now.</exception>
    public async Task<Chain> GetOpenAsync(Guid? after, int batchBytes, TimeSpan? patience, CancellationToken cancellation)
    {
        while (true)
        {
            if (_current is { WriteSegment: { } known } current && known.Id != after)
            {
                return current;
            }

            var (answer, isMine) = _open.Join(token => OpenAsync(after, batchBytes, token));
            var chain = Newest(await (patience is { } most ? directory.JoinAsync(answer, most, cancellation) : answer.WaitAsync(cancellation)).ConfigureAwait(false));
            // Somebody else may have asked about another one.
            if (chain.WriteSegment is { } opened && (opened.Id != after || isMine))
            {
                return chain;
            }

            if (isMine)
            {
                throw new LogNotWritableException(directory.LogName, "its directory knows no open segment");
            }
        }
    }

    public void Keep(Chain chain)
    {
        lock (_gate)
        {
            if (IsNewer(chain, _current))
            {
                _current = chain;
            }
        }
    }

    public void Forget()
    {
        lock (_gate)
        {
            _current = null;
        }
    }

    private static bool IsNewer(Chain chain, Chain? than) => than is null || chain.LogId != than.LogId || chain.Version > than.Version;

    private Chain Newest(Chain answered) => _current is { } current && !IsNewer(answered, current) ? current : answered;

    private async Task<Chain> LoadAsync(CancellationToken cancellation)
    {
        var chain = await directory.GetChainAsync(TimeSpan.MaxValue, cancellation).ConfigureAwait(false);
        Keep(chain);
        return chain;
    }

    private async Task<Chain> OpenAsync(Guid? after, int batchBytes, CancellationToken cancellation)
    {
        var chain = await directory.OpenWriteSegmentAsync(after, batchBytes, cancellation).ConfigureAwait(false);
        Keep(chain);
        return chain;
    }
}
