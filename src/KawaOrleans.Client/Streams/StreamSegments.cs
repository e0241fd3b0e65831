namespace KawaOrleans.Client;

/// <summary>Asks the segments of one log about its streams, wherever the chain says that they are by then. One instance serves one read: it never
/// goes on in another log that took over the name.</summary>
internal sealed class StreamSegments(ChainCache chains, SegmentCalls segments, Retries retries, KnownEnd end)
{
    private const long NoneBefore = -1;

    private readonly OneLog _log = new(chains, end);

    /// <summary>The log's name, once a segment was asked.</summary>
    public string LogName => _log.Chain?.LogName ?? "";

    /// <summary>The log's newest segment; null when it has none.</summary>
    public Task<StreamAnswer?> NewestAsync(StreamReadRequest request, CancellationToken cancellation) =>
        AskAsync(static chain => chain.Segments is [.., var last] ? last : null, request, cancellation);

    /// <summary>The segment that answered before.</summary>
    public Task<StreamAnswer?> SameAsync(StreamAnswer answer, StreamReadRequest request, CancellationToken cancellation)
    {
        var at = answer.Segment.Base;
        return AskAsync(chain => chain.Find(at), request, cancellation);
    }

    /// <summary>The segment behind the one that answered; null when the log has none yet.</summary>
    public Task<StreamAnswer?> NewerAsync(StreamAnswer answer, StreamReadRequest request, CancellationToken cancellation)
    {
        var at = answer.Segment.Base;
        return AskAsync(chain => chain.Segments.FirstOrDefault(segment => segment.Base > at), request, cancellation);
    }

    /// <summary>The segment with the stream's next older events; null when there are none.</summary>
    public Task<StreamAnswer?> OlderAsync(StreamAnswer answer, StreamReadRequest request, CancellationToken cancellation)
    {
        var (below, before) = (answer.Segment.Base, answer.Result.Before);
        return before switch
        {
            NoneBefore => Task.FromResult<StreamAnswer?>(null),
            >= 0 when before >= below => throw answer.Wrong($"it begins at {below} and says that stream '{request.Stream}' has its event before at {before}"),
            >= 0 => AskAsync(chain => chain.Find(before), request, cancellation),
            _ => AskAsync(chain => chain.Segments.LastOrDefault(segment => segment.Base < below), request, cancellation),
        };
    }

    private async Task<StreamAnswer?> AskAsync(Func<Chain, ChainSegment?> choose, StreamReadRequest request, CancellationToken cancellation)
    {
        var budget = retries.Begin();
        Chain? stale = null;
        while (true)
        {
            var chain = await _log.GetAsync(stale, budget, cancellation).ConfigureAwait(false);

            // Asked for again and still the same: then it is the chain, not an old copy of it.
            var isFresh = stale is not null && chain.Version == stale.Version;
            if (choose(chain) is not { } segment)
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
                var asked = request with { AtLeast = _log.AtLeast(chain, segment) };
                var result = await segments.ReadStreamAsync(segment, asked, budget.Patience, cancellation).ConfigureAwait(false);
                _log.Saw(chain, result.Committed);
                if (!segment.IsOpen)
                {
                    // A replica may have all of it and not have been told yet that it ended there: the chain says so.
                    return new StreamAnswer(segment, result with { HasEnded = true });
                }

                if (isFresh || !result.HasEnded)
                {
                    return new StreamAnswer(segment, result);
                }

                // The chain that is known here says that it is written, and it is not: the log may have gone on elsewhere.
                result.Events.Bytes.Dispose();
                stale = chain;
            }
            catch (KawaException e) when (!Failure.IsFinal(e))
            {
                var mayHelp = await _log.MayHelpAsync(e, chain, segment, choose, budget, cancellation).ConfigureAwait(false);
                if (!mayHelp || !await budget.AgainAsync(cancellation).ConfigureAwait(false))
                {
                    throw;
                }

                stale = chain;
            }
        }
    }
}

/// <summary>What a segment said of a stream.</summary>
internal sealed record StreamAnswer(ChainSegment Segment, StreamReadResult Result)
{
    /// <summary>True when the segment holds events of the stream.</summary>
    public bool HasStream => Result.Count > 0;

    /// <summary>The revision of the stream's first event there.</summary>
    public long First => Result.First;

    /// <summary>The revision behind the stream's last event there.</summary>
    public long End => Result.First + Result.Count;

    /// <summary>True when this is all that the segment ever has of the stream: the chain ends it, and whoever answered for it has it up to there. That a replica
    /// takes no more events says less, as long as nobody said where its segment ends.</summary>
    public bool IsComplete => !Segment.IsOpen && Result.HasEnded;

    public SegmentFaultedException Wrong(string what) => new(Segment.Id, Segment.Primary, what);

    public void Dispose() => Result.Events.Bytes.Dispose();

    /// <summary>Takes the events out, once.</summary>
    public List<RecordedEvent> Decode(string stream)
    {
        using var bytes = Result.Events.Bytes;
        var events = Result.Events.ToList();
        return events.TrueForAll(e => e.Stream == stream) ? events : throw Wrong($"it answered a read of stream '{stream}' with events of another");
    }
}
