namespace KawaOrleans;

/// <summary>One stream of a log: events that share a name, numbered by dense revisions from 0. All methods may be called at the same time from
/// any thread; handles are cheap.</summary>
/// <remarks>Which of its events reads show, its metadata say (<see cref="StreamMetadata"/>). A stream can be deleted, and then is one without events until it
/// is appended to again, or be ended for ever by a tombstone. Positions and revisions stay what they are, and reads of the log, by position, show all
/// events, those of types <c>$metadata</c>, <c>$deleted</c> and <c>$tombstone</c> included.</remarks>
public interface IStreamHandle
{
    /// <summary>The stream's name.</summary>
    string Name { get; }

    /// <summary>The log it belongs to.</summary>
    ILog Log { get; }

    /// <summary>Appends events to the stream, all or nothing, if it is as expected at the moment they are written.</summary>
    /// <remarks>As safe to repeat as <see cref="ILog.AppendAsync(EventBatch, CancellationToken)"/>, whatever is expected. Several streams at once:
    /// <see cref="ILog.AppendAsync(EventBatch, StreamExpectations, CancellationToken)"/>.</remarks>
    /// <param name="events">Events of this stream.</param>
    /// <param name="expected">What is expected of it: nothing (<see cref="ExpectedRevision.Any"/>), no or some event, or an exact last revision.</param>
    /// <param name="cancellation">Ends the wait; a batch that was already sent may be written all the same.</param>
    /// <returns><see cref="Appended"/>, whose <see cref="Appended.Revisions"/> has one entry, the revision of the last of these events;
    /// <see cref="RevisionConflict"/> with the stream's actual last revision; or <see cref="StreamTombstoned"/>.</returns>
    /// <exception cref="BatchRefusedException">No events, or a size is out of bounds. Nothing was sent.</exception>
    /// <exception cref="RequestRefusedException">An event is of another stream, or larger than this log takes. Nothing was written.</exception>
    /// <inheritdoc cref="ILog.AppendAsync(EventBatch, CancellationToken)" path="/exception"/>
    Task<AppendResult> AppendAsync(IReadOnlyList<EventData> events, ExpectedRevision expected = default, CancellationToken cancellation = default);

    /// <summary>The stream's events, up to what is committed when the read comes there, as far as its metadata show them. What the metadata say is
    /// looked at once, when the read begins.</summary>
    /// <remarks>The next page of events is asked for while the caller is busy with this one.</remarks>
    /// <param name="direction">Forward (the default): ascending revisions. Backward: descending.</param>
    /// <param name="from">The first revision wanted; the first shown, or backward the last, unless given or lower than that.</param>
    /// <param name="follow">False (the default): ends when it has caught up. True, forward only: then waits for more, also of a stream that has no event
    /// yet or is deleted, and ends only by cancellation or error.</param>
    /// <param name="cancellation">Ends the sequence with <see cref="OperationCanceledException"/>.</param>
    /// <returns>None when the stream has no event there, or none at all.</returns>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    /// <exception cref="StreamTombstonedException">The stream has ended for ever; all events before that were given out if it ended on the way.</exception>
    /// <exception cref="RequestRefusedException"><paramref name="from"/> is negative, or a stream is to be followed backward.</exception>
    /// <exception cref="NodeUnavailableException">A node is down. All events before the failure were given out.</exception>
    /// <exception cref="SegmentUnavailableException">The same where several nodes hold it: none of them answered, the message says why not.</exception>
    /// <exception cref="SegmentFaultedException">A segment cannot be trusted at this place.</exception>
    /// <exception cref="CorruptBlockException">An event does not verify where it arrived.</exception>
    /// <exception cref="DirectoryUnavailableException">Where the events lie is not known and could not be learned.</exception>
    IAsyncEnumerable<RecordedEvent> ReadAsync(ReadDirection direction = ReadDirection.Forward, long? from = null, bool follow = false, CancellationToken cancellation = default);

    /// <summary>The stream's last event, or null when it has none that is shown.</summary>
    /// <exception cref="StreamTombstonedException">The stream has ended for ever.</exception>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    /// <exception cref="NodeUnavailableException">A node is down.</exception>
    /// <exception cref="SegmentUnavailableException">The same where several nodes hold it: none of them answered, the message says why not.</exception>
    /// <exception cref="SegmentFaultedException">A segment cannot be trusted at this place.</exception>
    Task<RecordedEvent?> TryReadLastAsync(CancellationToken cancellation = default);

    /// <summary>The bounds of what is shown of the stream, or null when it has no event or is deleted.</summary>
    /// <inheritdoc cref="TryReadLastAsync" path="/exception"/>
    Task<StreamDescription?> DescribeAsync(CancellationToken cancellation = default);

    /// <summary>The stream's metadata, with their revision. Also of one that is deleted or has ended.</summary>
    /// <exception cref="RequestRefusedException">They are of a later version than this client knows.</exception>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    /// <exception cref="NodeUnavailableException">A node is down.</exception>
    /// <exception cref="SegmentUnavailableException">The same where several nodes hold it: none of them answered, the message says why not.</exception>
    /// <exception cref="SegmentFaultedException">A segment cannot be trusted at this place.</exception>
    Task<StreamMetadataResult> GetMetadataAsync(CancellationToken cancellation = default);

    /// <summary>Replaces the stream's metadata, as a whole. Reads that begin after the answer follow them. The stream may be one without events.</summary>
    /// <param name="metadata">The new metadata.</param>
    /// <param name="expected">What is expected of the metadata's revision: usually <see cref="StreamMetadataResult.Expected"/>; nothing unless given.</param>
    /// <param name="cancellation">Ends the wait; they may be set all the same.</param>
    /// <returns><see cref="Appended"/>, whose <see cref="Appended.Revisions"/> has the metadata's revision; <see cref="RevisionConflict"/> of
    /// <see cref="StreamMetadata.StreamOf"/> this stream; or <see cref="StreamTombstoned"/>.</returns>
    /// <exception cref="RequestRefusedException">No stream can have such metadata: <see cref="StreamMetadata.WhyNot"/>. Nothing was written.</exception>
    /// <inheritdoc cref="ILog.AppendAsync(EventBatch, CancellationToken)" path="/exception"/>
    Task<AppendResult> SetMetadataAsync(StreamMetadata metadata, ExpectedRevision expected = default, CancellationToken cancellation = default);

    /// <summary>Deletes the stream: it reads as one without events. It can be appended to again, also under <see cref="ExpectedRevision.NoStream"/>, and then
    /// shows what is appended; its revisions go on, behind the one that the deletion takes. Its metadata stay, but for what they truncate.</summary>
    /// <remarks>Reads the stream's last event and its metadata first and expects both unchanged, so many writers at the same time may make it try again.</remarks>
    /// <param name="expected">What is expected of the stream; nothing unless given. It must have an event in any case.</param>
    /// <param name="cancellation">Ends the wait; the stream may be deleted all the same.</param>
    /// <returns><see cref="Appended"/>, whose <see cref="Appended.Revisions"/> has the revision of the deletion, a repeat when the stream was deleted
    /// already; <see cref="RevisionConflict"/>; or <see cref="StreamTombstoned"/>.</returns>
    /// <inheritdoc cref="ILog.AppendAsync(EventBatch, CancellationToken)" path="/exception"/>
    Task<AppendResult> DeleteAsync(ExpectedRevision expected = default, CancellationToken cancellation = default);

    /// <summary>Ends the stream for ever: it is neither read nor appended to any more. Cannot be taken back. It may have no event yet: its name is then
    /// taken.</summary>
    /// <param name="expected">What is expected of the stream; nothing unless given.</param>
    /// <param name="cancellation">Ends the wait; the stream may have ended all the same.</param>
    /// <returns><see cref="Appended"/>, whose <see cref="Appended.Revisions"/> has the revision of the tombstone; <see cref="RevisionConflict"/>; or
    /// <see cref="StreamTombstoned"/> when it has ended before.</returns>
    /// <inheritdoc cref="ILog.AppendAsync(EventBatch, CancellationToken)" path="/exception"/>
    Task<AppendResult> TombstoneAsync(ExpectedRevision expected = default, CancellationToken cancellation = default);
}

/// <summary>Which way a stream is read.</summary>
public enum ReadDirection
{
    /// <summary>From older events to newer ones.</summary>
    Forward = 0,

    /// <summary>From newer events to older ones.</summary>
    Backward = 1,
}

/// <summary>The bounds of what is shown of a stream.</summary>
/// <param name="Count">How many events are shown; 0: its metadata hide all it has. (One fewer may be given out for each deletion among them, which only
/// metadata that show again what was deleted can bring.)</param>
/// <param name="FirstRevision">The revision of the first event shown; when none is, the one that comes next.</param>
/// <param name="FirstRecorded">When the log took that; when none is shown, the last event.</param>
/// <param name="LastRevision">The revision of its last event, shown or not.</param>
/// <param name="LastRecorded">When the log took that.</param>
/// <param name="LastPosition">The position of its last event.</param>
public sealed record StreamDescription(
    long Count, long FirstRevision, DateTimeOffset FirstRecorded, long LastRevision, DateTimeOffset LastRecorded, long LastPosition);
