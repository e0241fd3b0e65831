using System.Runtime.CompilerServices;

namespace KawaOrleans.Client;

/// <summary>Reads a stream page by page out of the segments that hold it, whatever its metadata hide. Each segment says where the stream's last event
/// before it lies, so segments without the stream are not asked; only where that is not known is one after the other.</summary>
internal sealed class StreamPages(StreamSegments segments, int blockBytes, TimeProvider time)
{
    /// <summary>How long a segment lets a follower wait for something new before it answers "nothing yet": the most it allows.</summary>
    private static readonly TimeSpan FollowWait = TimeSpan.FromSeconds(2);

    /// <summary>How often a follower looks whether a log without an open segment has got one.</summary>
    private static readonly TimeSpan SegmentPoll = TimeSpan.FromMilliseconds(250);

    /// <summary>Asks the newest segment, or with <paramref name="follow"/> waits until there is one; null when there is none.</summary>
    public async Task<StreamAnswer?> BeginAsync(StreamReadRequest request, bool follow, CancellationToken cancellation)
    {
        while (true)
        {
            var newest = await segments.NewestAsync(request, cancellation).ConfigureAwait(false);
            if (newest is not null || !follow)
            {
                return newest;
            }

            await Task.Delay(SegmentPoll, time, cancellation).ConfigureAwait(false);
        }
    }

    public StreamReadRequest Request(string stream, long from) => new() { Stream = stream, From = from, MaxBytes = blockBytes };

    /// <summary>Goes back to the segment that holds the first event wanted, then forward through those met on the way.</summary>
    /// <param name="newest">What the newest segment answered to a request from <paramref name="from"/> on.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="from">The first revision wanted.</param>
    /// <param name="follow">True to go on with what comes.</param>
    /// <param name="cancellation">Ends the sequence.</param>
    public async IAsyncEnumerable<List<RecordedEvent>> ForwardAsync(
        StreamAnswer newest, string stream, long from, bool follow, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (next, farthest) = (from, newest);
        var newer = new Stack<StreamAnswer>();
        StreamAnswer? answer = newest;
        while (answer is not null && !(answer.HasStream && answer.First <= next))
        {
            if (answer.HasStream)
            {
                newer.Push(answer);
            }

            answer.Dispose();
            answer = await segments.OlderAsync(answer, Request(stream, next), cancellation).ConfigureAwait(false);
        }

        while (true)
        {
            if (answer is null && newer.TryPop(out var known))
            {
                next = Math.Max(next, known.First);
                answer = await segments.SameAsync(known, Request(stream, next), cancellation).ConfigureAwait(false);
                continue;
            }

            answer ??= follow ? await BehindAsync(farthest, Request(stream, next), cancellation).ConfigureAwait(false) : null;
            if (answer is null)
            {
                yield break;
            }

            farthest = answer.Segment.Base >= farthest.Segment.Base ? answer : farthest;
            var events = answer.Decode(stream);
            RefuseUnlessThere(answer, stream, events, next);
            foreach (var e in events)
            {
                if (e.Revision != next++)
                {
                    throw answer.Wrong($"revision {e.Revision} of stream '{stream}' where {next - 1} comes next");
                }
            }

            if (events.Count > 0)
            {
                yield return events;
            }

            answer = events.Count > 0 && next < answer.End ? await segments.SameAsync(answer, Request(stream, next), cancellation).ConfigureAwait(false) : null;
        }
    }

    /// <summary>From a revision back to the first.</summary>
    /// <param name="newest">What the newest segment answered to a request backward from there.</param>
    /// <param name="request">That request.</param>
    /// <param name="cancellation">Ends the sequence.</param>
    /// <returns>Pages of descending revisions.</returns>
    public async IAsyncEnumerable<List<RecordedEvent>> BackwardAsync(
        StreamAnswer newest, StreamReadRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (stream, next) = (request.Stream, request.From);
        StreamAnswer? answer = newest;
        while (answer is not null)
        {
            var events = answer.Decode(stream);
            RefuseUnlessThere(answer, stream, events, Math.Min(next, answer.End - 1));
            events.Reverse();
            foreach (var e in events)
            {
                if (e.Revision > next || (next < request.From && e.Revision != next))
                {
                    throw answer.Wrong($"revision {e.Revision} of stream '{stream}' where {next} comes next");
                }

                next = e.Revision - 1;
            }

            if (events.Count > 0)
            {
                yield return events;
            }

            if (next < 0)
            {
                yield break;
            }

            var older = request with { From = next, WithStanding = false };
            answer = events.Count > 0 && next >= answer.First
                ? await segments.SameAsync(answer, older, cancellation).ConfigureAwait(false)
                : await segments.OlderAsync(answer, older, cancellation).ConfigureAwait(false);
        }
    }

    private static void RefuseUnlessThere(StreamAnswer answer, string stream, List<RecordedEvent> events, long wanted)
    {
        if (events.Count == 0 && answer.HasStream && wanted >= answer.First && wanted < answer.End)
        {
            throw answer.Wrong($"it answered without revision {wanted} of stream '{stream}', though it holds {answer.First} to {answer.End - 1}");
        }
    }

    /// <summary>The next event of the stream, or nothing yet, from where the log goes on behind what was read.</summary>
    private async Task<StreamAnswer> BehindAsync(StreamAnswer farthest, StreamReadRequest request, CancellationToken cancellation)
    {
        request = request with { Wait = FollowWait };
        while (true)
        {
            // What is complete was read to its end, by the request that said so or by the one before it.
            var answer = farthest.IsComplete && request.From >= farthest.End
                ? await segments.NewerAsync(farthest, request, cancellation).ConfigureAwait(false)
                : await segments.SameAsync(farthest, request, cancellation).ConfigureAwait(false);
            if (answer is not null)
            {
                // One that takes no more, and whose end the chain does not tell yet, may still have something to come.
                if (!answer.Result.HasEnded || answer.IsComplete || (answer.HasStream && answer.End > request.From))
                {
                    return answer;
                }

                farthest = answer;
            }

            await Task.Delay(SegmentPoll, time, cancellation).ConfigureAwait(false);
        }
    }
}
