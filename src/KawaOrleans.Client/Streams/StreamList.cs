using System.Runtime.CompilerServices;

namespace KawaOrleans.Client;

/// <summary>Lists the streams of a log: each where its first event lies, so none comes twice.</summary>
internal sealed class StreamList(LogDirectory directory, SegmentCalls segments, Retries retries)
{
    public async IAsyncEnumerable<string> ReadAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var chain = await retries.RunAsync((budget, token) => directory.GetChainAsync(budget.Patience, token), cancellation).ConfigureAwait(false);
        foreach (var segment in chain.Segments)
        {
            for (var next = 0L; next >= 0;)
            {
                var request = new StreamListRequest { Prefix = prefix, From = next };
                var result = await retries.RunAsync(
                    (budget, token) => segments.ListStreamsAsync(segment, request, budget.Patience, token), cancellation).ConfigureAwait(false);
                foreach (var name in result.Names)
                {
                    yield return name;
                }

                next = result.Next > next || result.Next < 0
                    ? result.Next
                    : throw new SegmentFaultedException(segment.Id, segment.Primary, $"a list of its streams got no further than {next}");
            }
        }
    }
}
