namespace KawaOrleans;

/// <summary>The plain way to append. Outcomes and errors are those of <see cref="ISegmentGrain.Append"/>.</summary>
public static class SegmentAppends
{
    /// <summary>Appends the batches of a block.</summary>
    /// <param name="segment">The log's write segment.</param>
    /// <param name="batches">One or more batches, as <c>Block.Of(batch)</c>.</param>
    /// <param name="cancellation">Ends the wait; the batches may be written all the same.</param>
    public static ValueTask<AppendResult> Append(this ISegmentGrain segment, Block batches, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(segment);
        return segment.Append(new AppendRequest { Batches = batches }, cancellation);
    }
}
