namespace KawaOrleans;

/// <summary>One replica of one segment. The key is (segment id, node name) and pins the grain to that node's silo.</summary>
[GrainInterfaceType("kawa.segment"), Alias("kawa.segment")]
public interface ISegmentGrain : IGrainWithGuidCompoundKey
{
    /// <summary>Appends batches, each all or nothing. An answer means: on disk. The writer remembers the ids of the newest events: a batch
    /// that is among them already is answered with its first positions and not written again.</summary>
    /// <param name="request">What to append; a plain block by <see cref="SegmentAppends.Append"/>.</param>
    /// <param name="cancellation">Ends the wait; the batches may be written all the same.</param>
    /// <returns><see cref="Appended"/> for all batches together; <see cref="BatchOutcomes"/> when they differ, or one of
    /// <see cref="RevisionConflict"/>, <see cref="StreamTombstoned"/>, <see cref="IdConflict"/> and <see cref="TooOldToTell"/> for a single one. With nothing written: <see cref="SegmentEnded"/> (take its chain, or ask the
    /// directory, and repeat there), <see cref="NotPrimary"/>, <see cref="Busy"/> (repeat later) or <see cref="OutOfSequence"/>.</returns>
    /// <exception cref="RequestRefusedException">The block is empty, too large or malformed. Nothing was written.</exception>
    /// <exception cref="NodeUnavailableException">The node is not alive. Nothing was written.</exception>
    /// <exception cref="SegmentFaultedException">The file failed; whether the batches are in it is unknown until it recovered.</exception>
    [Alias("Append"), ResponseTimeout("00:00:05")]
    ValueTask<AppendResult> Append(AppendRequest request, CancellationToken cancellation = default);

    /// <summary>Committed events from a position on; filtered beside the map when a filter is given.</summary>
    /// <exception cref="RequestRefusedException">A negative or reversed range, or a limit out of bounds.</exception>
    /// <exception cref="NodeUnavailableException">The node is not alive.</exception>
    /// <exception cref="BehindException">This replica knows less of the log than must be answered for; another may know it.</exception>
    /// <exception cref="SegmentFaultedException">The file cannot be trusted at this place.</exception>
    [Alias("Read"), ResponseTimeout("00:00:05")]
    ValueTask<ReadResult> Read(ReadRequest request, CancellationToken cancellation = default);

    /// <summary>The committed events at single positions.</summary>
    /// <param name="positions">The positions, in order, at most 1,024.</param>
    /// <param name="atLeast">The position below which the replica must know everything; see <see cref="ReadRequest.AtLeast"/>.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>One run for each position, in their order, of no length where no event is committed; fewer when the answer became larger than about 1 MiB.
    /// <see cref="ReadResult.Next"/> lies behind the last position looked at.</returns>
    /// <exception cref="RequestRefusedException">No positions, too many, out of order, or outside the segment.</exception>
    /// <exception cref="NodeUnavailableException">The node is not alive.</exception>
    /// <exception cref="BehindException">This replica knows less of the log than must be answered for; another may know it.</exception>
    /// <exception cref="SegmentFaultedException">The file cannot be trusted at one of these places.</exception>
    [Alias("ReadEach"), ResponseTimeout("00:00:05")]
    ValueTask<ReadResult> ReadEach(long[] positions, long atLeast = 0, CancellationToken cancellation = default);

    /// <summary>Committed events of one stream, as far as this segment holds them, and where its earlier ones lie. Costs next to nothing where the
    /// stream has none. All of them, also those that the stream's metadata hide: what is seen <see cref="StreamVisibility"/> says.</summary>
    /// <exception cref="RequestRefusedException">No stream can have this name, a negative revision, or a limit out of bounds.</exception>
    /// <exception cref="NodeUnavailableException">The node is not alive.</exception>
    /// <exception cref="BehindException">This replica knows less of the log than must be answered for; another may know it.</exception>
    /// <exception cref="SegmentFaultedException">The file cannot be trusted at this place.</exception>
    [Alias("ReadStream"), ResponseTimeout("00:00:05")]
    ValueTask<StreamReadResult> ReadStream(StreamReadRequest request, CancellationToken cancellation = default);

    /// <summary>What is known of streams where this segment ends; of the log's newest segment, what they are now.</summary>
    /// <param name="streams">Their names, at most 10,000.</param>
    /// <param name="atLeast">The position below which the replica must know everything; see <see cref="ReadRequest.AtLeast"/>.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>One for each name; null where it is not known at this node.</returns>
    /// <exception cref="RequestRefusedException">Too many names, or one that no stream can have.</exception>
    /// <exception cref="NodeUnavailableException">The node is not alive.</exception>
    /// <exception cref="BehindException">This replica knows less of the log than must be answered for; another may know it.</exception>
    /// <exception cref="SegmentFaultedException">The file cannot be trusted at this place.</exception>
    [Alias("FindStreams"), ResponseTimeout("00:00:05")]
    ValueTask<IReadOnlyList<StreamStanding?>> FindStreams(IReadOnlyList<string> streams, long atLeast = 0, CancellationToken cancellation = default);

    /// <summary>The streams whose first event lies in this segment, deleted ones too.</summary>
    /// <exception cref="RequestRefusedException">A limit out of bounds.</exception>
    /// <exception cref="NodeUnavailableException">The node is not alive.</exception>
    /// <exception cref="BehindException">This replica knows less of the log than must be answered for; another may know it.</exception>
    /// <exception cref="SegmentFaultedException">The file cannot be trusted at this place.</exception>
    [Alias("ListStreams"), ResponseTimeout("00:00:05")]
    ValueTask<StreamListResult> ListStreams(StreamListRequest request, CancellationToken cancellation = default);

    /// <summary>Returns when everything appended before the call is on disk.</summary>
    [Alias("Flush"), ResponseTimeout("00:00:05")]
    ValueTask Flush(CancellationToken cancellation = default);

    /// <summary>Says that events which came from this replica do not verify. Of a sealed one of several the node reads the file once more, soon, and
    /// has it replaced from another node if it is damaged.</summary>
    [Alias("Doubt"), ResponseTimeout("00:00:05")]
    ValueTask Doubt();

    /// <summary>Path, sizes and counts of the replica.</summary>
    [Alias("GetStats"), ResponseTimeout("00:00:02")]
    ValueTask<SegmentStats> GetStats(CancellationToken cancellation = default);

    /// <summary>Runs a registered aggregation over this segment's part of a range.</summary>
    /// <exception cref="BehindException">This replica knows less of the log than must be answered for; another may know it.</exception>
    [Alias("Aggregate"), ResponseTimeout("00:05:00")]
    ValueTask<AggregationResult> Aggregate(AggregationQuery query, CancellationToken cancellation = default);
}
