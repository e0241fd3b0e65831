using System.Runtime.CompilerServices;

namespace KawaOrleans.Client;

/// <summary>Lists the streams of a log: each where its first event lies, so none comes twice. Which of them were deleted the newest segment says.</summary>
/// <param name="directory">The log's.</param>
/// <param name="log">The log, for this one list.</param>
/// <param name="segments">Its segments.</param>
/// <param name="retries">How often to ask.</param>
/// <param name="isThere">Finds out the long way that a stream is not deleted, where the newest segment does not know.</param>
internal sealed class StreamList(
    LogDirectory directory, OneLog log, SegmentCalls segments, Retries retries, Func<string, CancellationToken, Task<bool>> isThere)
{
    public async IAsyncEnumerable<string> ReadAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var chain = await retries.RunAsync((budget, token) => directory.GetChainAsync(budget.Patience, token), cancellation).ConfigureAwait(false);
        log.Begin(chain);
        foreach (var segment in chain.Segments)
        {
            for (var next = 0L; next >= 0;)
            {
                var request = new StreamListRequest { Prefix = prefix, From = next, AtLeast = log.AtLeast(chain, segment) };
                var result = await AskAsync(
                    chain, segment, (patience, token) => segments.ListStreamsAsync(segment, request, patience, token), cancellation).ConfigureAwait(false);
                var newest = chain.Segments[^1];
                var standings = await AskAsync(
                    chain, newest, (patience, token) => segments.FindStreamsAsync(newest, result.Names, log.AtLeast(chain, newest), patience, token), cancellation)
                    .ConfigureAwait(false);
                for (var i = 0; i < result.Names.Count; i++)
                {
                    if (standings[i] is { } standing ? !standing.IsDeleted && !standing.IsTombstoned : await isThere(result.Names[i], cancellation).ConfigureAwait(false))
                    {
                        yield return result.Names[i];
                    }
                }

                next = result.Next > next || result.Next < 0
                    ? result.Next
                    : throw new SegmentFaultedException(segment.Id, segment.Primary, $"a list of its streams got no further than {next}");
            }
        }
    }

    private async Task<T> AskAsync<T>(Chain chain, ChainSegment segment, Func<TimeSpan, CancellationToken, Task<T>> ask, CancellationToken cancellation)
    {
        var budget = retries.Begin();
        while (true)
        {
            try
            {
                return await ask(budget.Patience, cancellation).ConfigureAwait(false);
            }
            catch (KawaException e) when (!Failure.IsFinal(e))
            {
                var mayHelp = await log.MayHelpAsync(e, chain, segment, now => now.Find(segment.Base), budget, cancellation).ConfigureAwait(false);
                if (!mayHelp || !await budget.AgainAsync(cancellation).ConfigureAwait(false))
                {
                    throw;
                }
            }
        }
    }
}
