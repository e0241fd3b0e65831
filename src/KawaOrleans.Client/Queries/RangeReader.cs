using System.Runtime.CompilerServices;

namespace KawaOrleans.Client;

/// <summary>Reads what a range query finds: the log's directory says where the range ends, then its segments are read side by side.</summary>
internal sealed class RangeReader(
    LogDirectory directory, BlockReader blocks, Retries retries, KnownEnd end, int blocksAhead, int blockBytes, TimeProvider time)
{
    public IAsyncEnumerable<RecordedEvent> ReadAsync(RangeQuery query, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(query);
        var stretch = new Stretch { From = query.From, To = query.To, Filter = query.Filter, Wanted = query.Limit };
        return new EventSequence(BlocksAsync(query, stretch, cancellation), stretch);
    }

    /// <summary>The query, to be planned no shorter than this client has seen the log.</summary>
    public static RangeQuery ForWhatIsSeen(RangeQuery query, KnownEnd end) => end.LogId is var log && log != Guid.Empty
        ? query with { AtLeast = Math.Max(query.AtLeast, end.Of(log)), LogId = log }
        : query;

    private async IAsyncEnumerable<ReadBlock> BlocksAsync(
        RangeQuery query, Stretch stretch, [EnumeratorCancellation] CancellationToken cancellation)
    {
        PositionCheck.Range(query);
        if (query.Limit == 0)
        {
            yield break;
        }

        var budget = retries.Begin();
        var plan = await Retries.RunAsync(budget, (left, token) => directory.PlanAsync(ForWhatIsSeen(query, end), left.Patience, token), cancellation)
            .ConfigureAwait(false);
        (stretch.From, stretch.To) = (plan.From, plan.To);
        await blocks.FollowAsync(plan, budget, cancellation).ConfigureAwait(false);
        await foreach (var block in new BlockWindow(blocks, stretch, blocksAhead, blockBytes, time).ReadAsync(budget, cancellation).ConfigureAwait(false))
        {
            yield return block;
        }
    }
}
