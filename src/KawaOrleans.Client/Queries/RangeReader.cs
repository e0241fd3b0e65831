using System.Runtime.CompilerServices;

namespace KawaOrleans.Client;

/// <summary>Reads the slices of a range plan side by side and gives their events out in position order.</summary>
/// <remarks>At most <c>slicesAhead</c> slices are read at a time, each up to two blocks ahead of the caller besides the one being
/// fetched; so memory is bounded by slices × 3 × block size however long the range is.</remarks>
internal sealed class RangeReader(SliceReader slices, LogDirectory directory, Retries retries, int slicesAhead)
{
    private const int BlocksAhead = 2;

    public async IAsyncEnumerable<RecordedEvent> ReadAsync(RangeQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(query);
        PositionCheck.Range(query);
        if (query.Limit == 0)
        {
            yield break;
        }

        var plan = await retries.RunAsync(token => directory.PlanAsync(query, token), cancellation).ConfigureAwait(false);
        var left = query.Limit;
        var next = 0;
        var ahead = new Queue<OpenSlice>();
        try
        {
            while (true)
            {
                while (next < plan.Slices.Count && ahead.Count < slicesAhead && (ahead.Count == 0 || MayNeedMore(ahead, left, query.Filter)))
                {
                    ahead.Enqueue(Open(plan.Slices[next++], query, left, cancellation));
                }

                if (!ahead.TryPeek(out var slice))
                {
                    yield break;
                }

                await foreach (var block in slice.Blocks.ReadAllAsync(cancellation).ConfigureAwait(false))
                {
                    foreach (var e in block.Events)
                    {
                        yield return e;
                        if (--left == 0)
                        {
                            yield break;
                        }
                    }

                    if (block.Damage is { } damage)
                    {
                        throw damage;
                    }
                }

                await ahead.Dequeue().Blocks.DisposeAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            foreach (var slice in ahead)
            {
                await slice.Blocks.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>False when the slices being read hold as many positions as events are still wanted, and all of them are wanted.</summary>
    private static bool MayNeedMore(Queue<OpenSlice> ahead, long left, EventFilter? filter) =>
        filter is not null || ahead.Sum(static slice => slice.Range.To - slice.Range.From) < left;

    private OpenSlice Open(RangeSlice slice, RangeQuery query, long left, CancellationToken cancellation) =>
        new(slice, new ReadAhead<DecodedBlock>(token => slices.ReadAsync(slice, query.Filter, left, token), BlocksAhead, cancellation));

    private readonly record struct OpenSlice(RangeSlice Range, ReadAhead<DecodedBlock> Blocks);
}
