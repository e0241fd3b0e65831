using System.Runtime.CompilerServices;

namespace KawaOrleans.Client;

/// <summary>Reads of one stream as its users see it: what its metadata hide is not given out, nor the events that delete streams.</summary>
internal sealed class StreamReader(string stream, ChainCache chains, SegmentCalls segments, Retries retries, KnownEnd end, int blockBytes, TimeProvider time)
{
    public IAsyncEnumerable<RecordedEvent> ForwardAsync(long from, bool follow, CancellationToken cancellation) =>
        PageAhead.ReadAsync(Begin().ForwardAsync(from, follow, cancellation), cancellation);

    public IAsyncEnumerable<RecordedEvent> BackwardAsync(long from, CancellationToken cancellation) =>
        PageAhead.ReadAsync(Begin().BackwardAsync(from, int.MaxValue, cancellation), cancellation);

    /// <summary>The last event that is seen, or null.</summary>
    public Task<RecordedEvent?> LastAsync(CancellationToken cancellation) => FirstOfAsync(Begin().BackwardAsync(long.MaxValue, 1, cancellation));

    /// <summary>The first event that is seen, or null.</summary>
    public Task<RecordedEvent?> FirstAsync(CancellationToken cancellation) => FirstOfAsync(Begin(maxBytes: 1).ForwardAsync(0, follow: false, cancellation));

    /// <summary>The last event, seen or not, of whatever type; or null.</summary>
    public Task<RecordedEvent?> LastOfAllAsync(CancellationToken cancellation) => Begin().Outlook.LastAsync(stream, cancellation);

    /// <summary>The stream's metadata and the revision they have; −1: nothing was ever said of the stream.</summary>
    public Task<StreamMetadataResult> MetadataAsync(CancellationToken cancellation) => Begin().Outlook.MetadataAsync(stream, cancellation);

    private static async Task<RecordedEvent?> FirstOfAsync(IAsyncEnumerable<List<RecordedEvent>> pages)
    {
        await foreach (var page in pages.ConfigureAwait(false))
        {
            return page[0];
        }

        return null;
    }

    private Sequence Begin(int? maxBytes = null)
    {
        var asked = new StreamSegments(chains, segments, retries, end);
        var pages = new StreamPages(asked, maxBytes ?? blockBytes, time);
        return new Sequence(stream, pages, new StreamOutlook(asked, pages, time));
    }

    /// <summary>One read, in one log.</summary>
    private sealed class Sequence(string stream, StreamPages pages, StreamOutlook outlook)
    {
        public StreamOutlook Outlook => outlook;

        public async IAsyncEnumerable<List<RecordedEvent>> ForwardAsync(long from, bool follow, [EnumeratorCancellation] CancellationToken cancellation)
        {
            var request = pages.Request(stream, from) with { WithStanding = true };
            if (await pages.BeginAsync(request, follow, cancellation).ConfigureAwait(false) is not { } newest)
            {
                yield break;
            }

            var shown = await outlook.OfAsync(stream, newest, cancellation).ConfigureAwait(false);
            var begin = Math.Max(from, await outlook.FirstAsync(stream, shown, newest, cancellation).ConfigureAwait(false));
            if (begin > from)
            {
                newest.Dispose();
                newest = await pages.BeginAsync(pages.Request(stream, begin), follow, cancellation).ConfigureAwait(false);
                if (newest is null)
                {
                    yield break;
                }
            }

            await foreach (var page in pages.ForwardAsync(newest, stream, begin, follow, cancellation).ConfigureAwait(false))
            {
                var events = StreamOutlook.Without(page);
                if (events.Count > 0)
                {
                    yield return events;
                }

                outlook.RefuseIfEnded(stream, page[^1]);
            }
        }

        public async IAsyncEnumerable<List<RecordedEvent>> BackwardAsync(long from, int most, [EnumeratorCancellation] CancellationToken cancellation)
        {
            var request = pages.Request(stream, from) with { Backward = true, MaxEvents = most, WithStanding = true };
            if (await pages.BeginAsync(request, follow: false, cancellation).ConfigureAwait(false) is not { } newest)
            {
                yield break;
            }

            var shown = await outlook.OfAsync(stream, newest, cancellation).ConfigureAwait(false);
            await foreach (var page in pages.BackwardAsync(newest, request, cancellation).ConfigureAwait(false))
            {
                outlook.RefuseIfEnded(stream, page[0]);
                var seen = page.TakeWhile(e => shown.Shows(e.Revision, e.Recorded.UtcTicks)).ToList();
                var events = StreamOutlook.Without(seen);
                if (events.Count > 0)
                {
                    yield return events;
                }

                if (seen.Count < page.Count || page[^1].Revision <= shown.FirstRevision)
                {
                    yield break;
                }
            }
        }
    }
}
