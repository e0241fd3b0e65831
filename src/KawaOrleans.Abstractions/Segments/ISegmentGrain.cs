namespace KawaOrleans;

/// <summary>One replica of one segment. The key is (segment id, node name) and pins the grain to that node's silo.</summary>
[GrainInterfaceType("kawa.segment"), Alias("kawa.segment")]
public interface ISegmentGrain : IGrainWithGuidCompoundKey
{
    /// <summary>Appends a batch, all or nothing. An answer means: on disk.</summary>
    /// <param name="batch">An <see cref="EventBatch"/>, as <c>Block.Of(batch)</c>.</param>
    /// <param name="cancellation">Ends the wait; the batch may be written all the same.</param>
    /// <returns><see cref="Appended"/>, <see cref="SegmentEnded"/> (ask the directory for the chain and repeat there), or <see cref="NotPrimary"/>.</returns>
    /// <exception cref="RequestRefusedException">The batch is empty, too large or malformed. Nothing was written.</exception>
    /// <exception cref="NodeUnavailableException">The node is not alive. Nothing was written.</exception>
    /// <exception cref="SegmentFaultedException">The file failed; whether this batch is in it is unknown until it recovered.</exception>
    [Alias("Append"), ResponseTimeout("00:00:05")]
    ValueTask<AppendResult> Append(Block batch, CancellationToken cancellation = default);

    /// <summary>Committed events from a position on; filtered beside the map when a filter is given.</summary>
    /// <exception cref="RequestRefusedException">A negative or reversed range, or a limit out of bounds.</exception>
    /// <exception cref="NodeUnavailableException">The node is not alive.</exception>
    /// <exception cref="SegmentFaultedException">The file cannot be trusted at this place.</exception>
    [Alias("Read"), ResponseTimeout("00:00:05")]
    ValueTask<ReadResult> Read(ReadRequest request, CancellationToken cancellation = default);

    /// <summary>Returns when everything appended before the call is on disk.</summary>
    [Alias("Flush"), ResponseTimeout("00:00:05")]
    ValueTask Flush(CancellationToken cancellation = default);

    /// <summary>Path, sizes and counts of the replica.</summary>
    [Alias("GetStats"), ResponseTimeout("00:00:02")]
    ValueTask<SegmentStats> GetStats(CancellationToken cancellation = default);

    /// <summary>Runs a registered aggregation over this segment's part of a range.</summary>
    [Alias("Aggregate"), ResponseTimeout("00:05:00")]
    ValueTask<AggregationResult> Aggregate(AggregationQuery query, CancellationToken cancellation = default);
}
