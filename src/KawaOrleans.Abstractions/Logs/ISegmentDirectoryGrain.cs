using Orleans.Metadata;

namespace KawaOrleans;

/// <summary>Coordinates one log: its chain, its rolls, its range queries. The key is the log's name. Appends and reads go to
/// the segment grains themselves; this grain is asked when the chain is not known or out of date.</summary>
/// <remarks>There is one such grain in the cluster, and the silo it lives on may be the one that died. <see cref="NearbyGrainType"/> answers the
/// same on the silo by which a call enters the cluster; turn to it when the other is silent. All changes are compare-and-swap:
/// any number of them at once do no harm.</remarks>
[GrainInterfaceType("kawa.segment-directory"), Alias("kawa.segment-directory"), DefaultGrainType("kawa.segment-directory")]
public interface ISegmentDirectoryGrain : IGrainWithStringKey
{
    /// <summary>The type of the grain that does the same on the caller's own silo or gateway:
    /// <c>factory.GetGrain&lt;ISegmentDirectoryGrain&gt;(GrainId.Create(NearbyGrainType, log))</c>. The key may go on with a slash and any text: a client sends
    /// calls with other keys by other gateways, one of which may be the silo that stands still.</summary>
    const string NearbyGrainType = "kawa.segment-directory-nearby";

    /// <summary>Creates the log, or finds it when it exists with these options. Nothing is allocated before the first append.</summary>
    /// <exception cref="RequestRefusedException">Bad name or options, or the log exists with other options.</exception>
    /// <exception cref="ChainStoreException">The chain store does not know what its nodes know, or is away.</exception>
    [Alias("Create"), ResponseTimeout("00:00:10")]
    Task<Chain> Create(LogOptions options, CancellationToken cancellation = default);

    /// <summary>The chain as it is now.</summary>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    /// <exception cref="ChainStoreException">The chain store does not know what its nodes know, or is away.</exception>
    [Alias("GetChain"), ResponseTimeout("00:00:05")]
    Task<Chain> GetChain(CancellationToken cancellation = default);

    /// <summary>Answers with a chain whose last segment is open: creates the log with the silo's options for new logs if there is none, rolls
    /// if <paramref name="after"/> is still the last, and otherwise only answers. So any number of callers with the same view cause one roll.
    /// Of several replicas <paramref name="after"/> is a report: the segment is ended when its primary is silent, full, or cannot have
    /// appends acknowledged; when it can, the answer is the chain as it is, with <paramref name="after"/> still open.</summary>
    /// <param name="after">The write segment that was found missing (null: none yet), full, sealed or silent.</param>
    /// <param name="batchBytes">The new segment has room for a batch of this size; 0 if none is at hand.</param>
    /// <param name="cancellation">Ends the wait, not the roll.</param>
    /// <exception cref="LogNotWritableException">No segment can be opened now; the message says why. Retry later.</exception>
    [Alias("OpenWriteSegment"), ResponseTimeout("00:00:10")]
    Task<Chain> OpenWriteSegment(Guid? after, int batchBytes, CancellationToken cancellation = default);

    /// <summary>The chain with the state of every replica.</summary>
    [Alias("Describe"), ResponseTimeout("00:00:10")]
    Task<LogDescription> Describe(CancellationToken cancellation = default);

    /// <summary>Splits a range of positions by segment and fixes its end at what is committed now.</summary>
    /// <exception cref="RequestRefusedException">A negative or reversed range.</exception>
    /// <exception cref="NodeUnavailableException">The only node that knows what is committed is away.</exception>
    /// <exception cref="SegmentUnavailableException">No replica of the open segment answered for what was asked.</exception>
    [Alias("Plan"), ResponseTimeout("00:00:05")]
    Task<RangePlan> Plan(RangeQuery query, CancellationToken cancellation = default);

    /// <summary>Runs a registered aggregation beside the segments, in parallel, and merges what they answer.</summary>
    /// <exception cref="RequestRefusedException">No such aggregation, a bad range or a bad argument.</exception>
    /// <exception cref="NodeUnavailableException">The only node of a segment in the range is away; the result would be incomplete.</exception>
    /// <exception cref="SegmentUnavailableException">No replica of a segment in the range answered for all of it; the result would be incomplete.</exception>
    [Alias("Aggregate"), ResponseTimeout("00:05:00")]
    Task<AggregationResult> Aggregate(AggregationQuery query, CancellationToken cancellation = default);

    /// <summary>Ends the log. Its files are set aside by the nodes that hold them; the name may be used anew, with another log id.</summary>
    [Alias("Delete"), ResponseTimeout("00:00:10")]
    Task Delete(CancellationToken cancellation = default);

    /// <summary>Writes the chain anew from what the nodes hold, after the chain store was lost or rolled back. Refuses while a node
    /// whose answer is needed is away, unless it is among <paramref name="givenUpNodes"/>.</summary>
    /// <exception cref="ChainStoreException">The answers at hand do not prove what the chain was; the message says what is missing.</exception>
    [Alias("Rebuild"), ResponseTimeout("00:00:30")]
    Task<Chain> Rebuild(IReadOnlyList<string> givenUpNodes, CancellationToken cancellation = default);
}
