using System.Runtime.CompilerServices;

namespace KawaOrleans.Client;

/// <summary>Reads one slice of a range block by block. When it is not where the plan said, asks for a new plan of what is left of it.</summary>
internal sealed class SliceReader(LogDirectory directory, SegmentCalls segments, Retries retries, int blockBytes)
{
    /// <param name="slice">The slice as planned.</param>
    /// <param name="filter">Which events.</param>
    /// <param name="limit">How many events at most.</param>
    /// <param name="cancellation">Ends the sequence.</param>
    public async IAsyncEnumerable<DecodedBlock> ReadAsync(
        RangeSlice slice, EventFilter? filter, long limit, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var plan = new Queue<RangeSlice>([slice]);
        var position = slice.From;
        while (position < slice.To && limit > 0)
        {
            var request = new ReadRequest
            {
                From = position, To = slice.To, Filter = filter, MaxBytes = blockBytes, MaxEvents = (int)Math.Min(limit, int.MaxValue),
            };
            ReadResult result;
            (result, plan) = await ReadBlockAsync(plan, request, cancellation).ConfigureAwait(false);
            var block = DecodedBlock.Of(result, position, slice.To);
            yield return block;
            if (block.Damage is not null)
            {
                yield break;
            }

            limit -= block.Events.Count;
            position = block.Next;
        }
    }

    private async Task<(ReadResult Result, Queue<RangeSlice> Plan)> ReadBlockAsync(
        Queue<RangeSlice> plan, ReadRequest request, CancellationToken cancellation)
    {
        var retry = retries.Begin();
        while (true)
        {
            while (plan.Count > 1 && plan.Peek().To <= request.From)
            {
                plan.Dequeue();
            }

            var part = plan.Peek();
            try
            {
                var result = await segments
                    .ReadAsync(part.SegmentId, part.Node, request with { To = Math.Min(request.To, part.To) }, cancellation)
                    .ConfigureAwait(false);
                return result.Next > request.From
                    ? (result, plan)
                    : throw new SegmentFaultedException(
                        part.SegmentId, part.Node, $"it ends at position {result.Committed}, but was planned to be read from {request.From}");
            }
            catch (KawaException e) when (!Failure.IsFinal(e))
            {
                var renewed = await TryReplanAsync(request, cancellation).ConfigureAwait(false);
                var mayHelp = e.IsRetryable || (renewed is not null && IsElsewhere(renewed.Peek(), part));
                if (!mayHelp || !await retry.AgainAsync(cancellation).ConfigureAwait(false))
                {
                    throw;
                }

                plan = renewed ?? plan;
            }
        }
    }

    /// <summary>Where [From, To) lies now, without holes; null when nobody can tell, or a part of it is gone.</summary>
    private async Task<Queue<RangeSlice>?> TryReplanAsync(ReadRequest rest, CancellationToken cancellation)
    {
        try
        {
            var plan = await directory.PlanAsync(new RangeQuery { From = rest.From, To = rest.To }, cancellation).ConfigureAwait(false);
            return plan.Slices.Count > 0 && plan.From == rest.From && plan.To == rest.To ? new Queue<RangeSlice>(plan.Slices) : null;
        }
        catch (KawaException e) when (e is not UnknownLogException)
        {
            // What the segment said is worth more to the caller than that the directory says nothing.
            return null;
        }
    }

    private static bool IsElsewhere(RangeSlice now, RangeSlice before) => now.SegmentId != before.SegmentId || now.Node != before.Node;
}
