using System.Runtime.CompilerServices;

namespace KawaOrleans.Client;

/// <summary>Reads one stream out of the segments that hold it. Each says where the stream's last event before it lies, so segments without the
/// stream are not asked; only where that is not known is one after the other.</summary>
internal sealed class StreamReader(string stream, ChainCache chains, SegmentCalls segments, Retries retries, int blockBytes)
{
    private const long NoneBefore = -1;

    /// <summary>Goes back to the segment that holds the first event wanted, then forward through those met on the way.</summary>
    public async IAsyncEnumerable<RecordedEvent> ForwardAsync(long from, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var next = from;
        var newer = new Stack<Answer>();
        var answer = await AskAsync(Newest, Request(next), cancellation).ConfigureAwait(false);
        while (answer is not null && !(answer.Result.Count > 0 && answer.Result.First <= next))
        {
            if (answer.Result.Count > 0)
            {
                newer.Push(answer);
            }

            answer.Result.Events.Bytes.Dispose();
            answer = await OlderAsync(answer, Request(next), cancellation).ConfigureAwait(false);
        }

        while (answer is not null || newer.Count > 0)
        {
            if (answer is null)
            {
                var known = newer.Pop();
                next = Math.Max(next, known.Result.First);
                answer = await AskAsync(chain => chain.Find(known.Segment.Base), Request(next), cancellation).ConfigureAwait(false);
                continue;
            }

            var events = Decode(answer);
            foreach (var e in events)
            {
                if (e.Revision != next)
                {
                    throw Wrong(answer, $"revision {e.Revision} of stream '{stream}' where {next} comes next");
                }

                next++;
                yield return e;
            }

            var hasMore = events.Count > 0 && next < answer.Result.First + answer.Result.Count;
            var asked = answer;
            answer = hasMore ? await AskAsync(chain => chain.Find(asked.Segment.Base), Request(next), cancellation).ConfigureAwait(false) : null;
        }
    }

    public async IAsyncEnumerable<RecordedEvent> BackwardAsync(long from, int maxEvents, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var next = from;
        var request = Request(next) with { Backward = true, MaxEvents = maxEvents };
        var answer = await AskAsync(Newest, request, cancellation).ConfigureAwait(false);
        while (answer is not null)
        {
            var events = Decode(answer);
            for (var i = events.Count - 1; i >= 0; i--)
            {
                if (events[i].Revision > next || (next < from && events[i].Revision != next))
                {
                    throw Wrong(answer, $"revision {events[i].Revision} of stream '{stream}' where {next} comes next");
                }

                next = events[i].Revision - 1;
                yield return events[i];
            }

            if (next < 0)
            {
                yield break;
            }

            request = request with { From = next };
            var asked = answer;
            answer = events.Count > 0 && next >= answer.Result.First
                ? await AskAsync(chain => chain.Find(asked.Segment.Base), request, cancellation).ConfigureAwait(false)
                : await OlderAsync(answer, request, cancellation).ConfigureAwait(false);
        }
    }

    private static ChainSegment? Newest(Chain chain) => chain.Segments is [.., var last] ? last : null;

    private static SegmentFaultedException Wrong(Answer answer, string what) => new(answer.Segment.Id, answer.Segment.Primary, what);

    private StreamReadRequest Request(long from) => new() { Stream = stream, From = from, MaxBytes = blockBytes };

    /// <summary>What the segment with the stream's next older events says; null when there are none.</summary>
    private Task<Answer?> OlderAsync(Answer answer, StreamReadRequest request, CancellationToken cancellation)
    {
        var (below, before) = (answer.Segment.Base, answer.Result.Before);
        return before switch
        {
            NoneBefore => Task.FromResult<Answer?>(null),
            >= 0 when before >= below => throw Wrong(answer, $"it begins at {below} and says that stream '{stream}' has its event before at {before}"),
            >= 0 => AskAsync(chain => chain.Find(before), request, cancellation),
            _ => AskAsync(chain => chain.Segments.LastOrDefault(segment => segment.Base < below), request, cancellation),
        };
    }

    /// <summary>Asks a segment, wherever the chain says it is by then; null when the log has none such.</summary>
    private async Task<Answer?> AskAsync(Func<Chain, ChainSegment?> choose, StreamReadRequest request, CancellationToken cancellation)
    {
        var budget = retries.Begin();
        Chain? stale = null;
        while (true)
        {
            var chain = chains.Known(stale) ?? await Retries.RunAsync(
                budget, (left, token) => chains.GetAsync(stale, left.Patience, token), cancellation).ConfigureAwait(false);

            // Asked for again and still the same: then it is the chain, not an old copy of it.
            var isFresh = stale is not null && chain.LogId == stale.LogId && chain.Version == stale.Version;
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
                var result = await segments.ReadStreamAsync(segment, request, budget.Patience, cancellation).ConfigureAwait(false);
                if (isFresh || !segment.IsOpen || !result.HasEnded)
                {
                    return new Answer(segment, result);
                }

                // The chain that is known here says that it is written, and it is not: the log may have gone on elsewhere.
                result.Events.Bytes.Dispose();
                stale = chain;
            }
            catch (KawaException e) when (Failure.IsWorthAnotherRead(e))
            {
                if (!await budget.AgainAsync(cancellation).ConfigureAwait(false))
                {
                    throw;
                }

                stale = chain;
            }
        }
    }

    private List<RecordedEvent> Decode(Answer answer)
    {
        using var bytes = answer.Result.Events.Bytes;
        var events = answer.Result.Events.ToList();
        return events.TrueForAll(e => e.Stream == stream) ? events : throw Wrong(answer, $"it answered a read of stream '{stream}' with events of another");
    }

    private sealed record Answer(ChainSegment Segment, StreamReadResult Result);
}
