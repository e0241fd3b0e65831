namespace KawaOrleans;

/// <summary>One log: a totally ordered sequence of events. All methods may be called at the same time from any thread.</summary>
public interface ILog
{
    /// <summary>The log's name.</summary>
    string Name { get; }

    /// <summary>Appends a batch, all or nothing. When it answers, the batch is on disk. The first append to a log that does not exist
    /// creates it with the default options.</summary>
    /// <remarks>Appends made at the same time share calls and come to lie in any order; await one before the next where order matters, or use a
    /// producer. Refusals that leave no trace (segment full, another primary, node not alive) are repeated at the right place for
    /// <see cref="KawaClientOptions.RetryFor"/>, and so is an append whose answer was lost: the writer knows its events by their ids
    /// and writes none twice.</remarks>
    /// <param name="batch">One or more events, encoded: <see cref="EventBatch.Encode"/>. Its bytes are not changed.</param>
    /// <param name="cancellation">Ends the wait; a batch that was already sent may be written all the same.</param>
    /// <returns>The positions given to the events.</returns>
    /// <exception cref="UnknownOutcomeException">No answer came for <see cref="KawaClientOptions.RetryFor"/> after the first was lost, or the writer does not
    /// remember that far back: the batch may or may not be in the log.</exception>
    /// <exception cref="EventIdConflictException">An event has the id of another event. Nothing was written.</exception>
    /// <exception cref="StreamTombstonedException">A stream of the batch has ended for ever, and nothing was expected of streams. Nothing was written.</exception>
    /// <exception cref="RequestRefusedException">An event is larger than this log takes. Nothing was written.</exception>
    /// <exception cref="NodeUnavailableException">The node with the write segment is not alive. Nothing was written.</exception>
    /// <exception cref="LogNotWritableException">No segment can be opened now. Nothing was written.</exception>
    /// <exception cref="DirectoryUnavailableException">Where to write is not known and could not be learned. Nothing was written.</exception>
    Task<Appended> AppendAsync(EventBatch batch, CancellationToken cancellation = default);

    /// <summary>Appends a batch, all or nothing, if every stream named is as expected at the moment it is written. The batch may write to any streams of
    /// the log, and streams may be named that it does not write to.</summary>
    /// <remarks>As safe to repeat as <see cref="AppendAsync(EventBatch, CancellationToken)"/>, also after its answer was lost: events that are in the
    /// log already are answered with their positions and revisions, whatever is expected.</remarks>
    /// <param name="batch">One or more events, encoded: <see cref="EventBatch.Encode"/>.</param>
    /// <param name="expected">What is expected: <see cref="StreamExpectations.Of"/>.</param>
    /// <param name="cancellation">Ends the wait; a batch that was already sent may be written all the same.</param>
    /// <returns><see cref="Appended"/>, with the revisions of the streams named, <see cref="RevisionConflict"/>, or <see cref="StreamTombstoned"/>.</returns>
    /// <inheritdoc cref="AppendAsync(EventBatch, CancellationToken)" path="/exception"/>
    Task<AppendResult> AppendAsync(EventBatch batch, StreamExpectations expected, CancellationToken cancellation = default);

    /// <summary>A handle on a stream of this log, whether or not it has events.</summary>
    /// <exception cref="RequestRefusedException">No stream can have this name.</exception>
    IStreamHandle Stream(string name);

    /// <summary>The streams whose names begin so, in the order of their first events: those that began before the call and are not deleted. One of which
    /// metadata hide all events is among them. Costs a look at each stream of each segment.</summary>
    /// <param name="prefix">What the names begin with; all unless given. Those of metadata (<see cref="StreamMetadata.StreamOf"/>) only when it begins
    /// with <c>$</c>.</param>
    /// <param name="cancellation">Ends the sequence with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    /// <exception cref="NodeUnavailableException">A node is down. All names before the failure were given out.</exception>
    /// <exception cref="SegmentUnavailableException">The same where several nodes hold it: none of them answered, the message says why not.</exception>
    IAsyncEnumerable<string> ListStreamsAsync(string prefix = "", CancellationToken cancellation = default);

    /// <summary>A producer for this log: many batches on their way at once, in order. Cheap to keep, one for each sequence of
    /// batches whose order matters; <see cref="AppendAsync(EventBatch, CancellationToken)"/> shares one of its own among all callers.</summary>
    /// <param name="options">How it gathers; the defaults of <see cref="ProducerOptions"/> unless given.</param>
    /// <exception cref="RequestRefusedException">Options that no producer can have.</exception>
    IEventProducer CreateProducer(ProducerOptions? options = null);

    /// <summary>The events from a position on, in position order and without holes.</summary>
    /// <param name="from">The first position wanted; 0 unless given. Beyond the end: none, or with <paramref name="follow"/> those to come.</param>
    /// <param name="follow">False (the default): ends when it has caught up with what is committed. True: then waits for more, and
    /// ends only by cancellation or error.</param>
    /// <param name="cancellation">Ends the sequence with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    /// <exception cref="RequestRefusedException"><paramref name="from"/> is negative.</exception>
    /// <exception cref="NodeUnavailableException">A node is down. All events before the failure were given out: go on behind the last one.</exception>
    /// <exception cref="SegmentUnavailableException">The same where several nodes hold it: none of them answered, the message says why not.</exception>
    /// <exception cref="SegmentFaultedException">A segment cannot be trusted at this place.</exception>
    /// <exception cref="CorruptBlockException">An event does not verify where it arrived.</exception>
    /// <exception cref="DirectoryUnavailableException">Where the events lie is not known and could not be learned.</exception>
    IAsyncEnumerable<RecordedEvent> ReadAsync(long from = 0, bool follow = false, CancellationToken cancellation = default);

    /// <summary>The same events as blocks: verified as they are walked, decoded only where it is asked. For whoever reads millions a second, or
    /// passes events on as they are.</summary>
    /// <remarks>Dispose each block when done with it. Of the <see cref="KawaClientOptions.BlocksAhead"/> blocks read ahead of the caller none
    /// changes under its hands.</remarks>
    /// <inheritdoc cref="ReadAsync" path="/param"/>
    /// <inheritdoc cref="ReadAsync" path="/exception"/>
    IAsyncEnumerable<ReadBlock> ReadBlocksAsync(long from = 0, bool follow = false, CancellationToken cancellation = default);

    /// <summary>The event at a position, or null when there is none (yet).</summary>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    /// <exception cref="RequestRefusedException">The position is negative.</exception>
    /// <exception cref="NodeUnavailableException">The node that holds it is down.</exception>
    /// <exception cref="SegmentUnavailableException">The same where several nodes hold it: none of them answered, the message says why not.</exception>
    Task<RecordedEvent?> TryReadAsync(long position, CancellationToken cancellation = default);

    /// <summary>The events of a range that pass a filter, in position order. The end is fixed when the query starts: never beyond what is
    /// committed then. The segments are read and filtered in parallel, a bounded stretch ahead of the caller
    /// (<see cref="KawaClientOptions.BlocksAhead"/>).</summary>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    /// <exception cref="RequestRefusedException">A negative or reversed range, or a negative limit.</exception>
    /// <exception cref="NodeUnavailableException">A node is down. All events wanted before the failure were given out.</exception>
    /// <exception cref="SegmentUnavailableException">The same where several nodes hold it: none of them answered, the message says why not.</exception>
    /// <exception cref="SegmentFaultedException">A segment cannot be trusted at this place. All events wanted before it were given out.</exception>
    /// <exception cref="CorruptBlockException">An event does not verify where it arrived.</exception>
    IAsyncEnumerable<RecordedEvent> QueryAsync(RangeQuery query, CancellationToken cancellation = default);

    /// <summary>Runs a registered aggregation beside the segments and answers with the merged values.</summary>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    /// <exception cref="RequestRefusedException">No such aggregation, a bad range or a bad argument.</exception>
    /// <exception cref="NodeUnavailableException">A segment in the range has no live node; the result would be incomplete.</exception>
    /// <exception cref="SegmentUnavailableException">The same where several nodes hold it: none of them answered, the message says why not.</exception>
    Task<AggregationResult> AggregateAsync(AggregationQuery query, CancellationToken cancellation = default);

    /// <summary>Returns when everything appended before the call is on disk. With the default durability that is so already.</summary>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    /// <exception cref="NodeUnavailableException">The node with the write segment is not alive.</exception>
    Task FlushAsync(CancellationToken cancellation = default);

    /// <summary>The chain with the state, numbers and problems of every segment. Answers also while nodes are down.</summary>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    Task<LogDescription> DescribeAsync(CancellationToken cancellation = default);
}
