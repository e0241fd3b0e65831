using System.Runtime.CompilerServices;

namespace KawaOrleans.Client;

/// <summary>Gives out pages one event after another, and has the next page come while the caller is busy with this one.</summary>
internal static class PageAhead
{
    public static async IAsyncEnumerable<RecordedEvent> ReadAsync(
        IAsyncEnumerable<IReadOnlyList<RecordedEvent>> pages, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var page = pages.GetAsyncEnumerator(ended.Token);
        var next = page.MoveNextAsync().AsTask();
        try
        {
            while (await next.ConfigureAwait(false))
            {
                var events = page.Current;
                next = page.MoveNextAsync().AsTask();
                foreach (var e in events)
                {
                    yield return e;
                }
            }
        }
        finally
        {
            // Who ends early does not wait for a page that nobody reads.
            await ended.CancelAsync().ConfigureAwait(false);
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await page.DisposeAsync().ConfigureAwait(false);
        }
    }
}
