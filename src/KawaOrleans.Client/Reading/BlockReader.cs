namespace KawaOrleans.Client;

/// <summary>Reads blocks of one log from wherever the chain says that their positions lie, and finds them again when they have moved.
/// One instance serves one sequence of reads: it never goes on in another log that took over the name.</summary>
internal sealed class BlockReader(ChainCache chains, SegmentCalls segments, Retries retries)
{
    private Guid? _logId;

    /// <returns>What the segment answered; null when the log has no segment for this position now.</returns>
    public async Task<ReadResult?> TryReadAsync(ReadRequest request, CancellationToken cancellation)
    {
        var retry = retries.Begin();
        Chain? stale = null;
        while (true)
        {
            var chain = await retries.RunAsync(token => chains.GetAsync(stale, token), cancellation).ConfigureAwait(false);
            StayIn(chain);

            // Asked for again and still the same: then it is the chain, not an old copy of it.
            var isFresh = stale is not null && chain.Version == stale.Version;
            if (Locate(chain, request.From) is not { } segment)
            {
                if (isFresh)
                {
                    return null;
                }

                stale = chain;
                continue;
            }

            try
            {
                var result = await segments.ReadAsync(segment.Id, segment.Primary, From(segment, request), cancellation).ConfigureAwait(false);
                var isBehindEnd = result.AtEndOfSegment && result.Next <= request.From;
                if (isFresh || !(isBehindEnd || request.From > result.Committed))
                {
                    return isBehindEnd ? null : result;
                }

                stale = chain;
            }
            catch (KawaException e) when (!Failure.IsFinal(e))
            {
                var mayHelp = e.IsRetryable || await HasMovedAsync(chain, segment, request.From, cancellation).ConfigureAwait(false);
                if (!mayHelp || !await retry.AgainAsync(cancellation).ConfigureAwait(false))
                {
                    throw;
                }

                stale = chain;
            }
        }
    }

    private static ReadRequest From(ChainSegment segment, ReadRequest request) =>
        request.From < segment.Base ? request with { From = segment.Base } : request;

    private static ChainSegment? Locate(Chain chain, long position) =>
        chain.Segments.Count > 0 ? chain.Find(Math.Max(position, chain.Segments[0].Base)) : null;

    private async Task<bool> HasMovedAsync(Chain seen, ChainSegment segment, long position, CancellationToken cancellation)
    {
        try
        {
            var chain = await chains.GetAsync(seen, cancellation).ConfigureAwait(false);
            return Locate(chain, position) is not { } now || now.Id != segment.Id || now.Primary != segment.Primary;
        }
        catch (KawaException e) when (e is not UnknownLogException)
        {
            // What the segment said is worth more to the caller than that the directory says nothing.
            return false;
        }
    }

    private void StayIn(Chain chain)
    {
        _logId ??= chain.LogId;
        if (_logId != chain.LogId)
        {
            throw new UnknownLogException(chain.LogName);
        }
    }
}
