namespace KawaOrleans;

/// <summary>One stream of a log: events that share a name, numbered by dense revisions from 0. All methods may be called at the same time from
/// any thread; handles are cheap.</summary>
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
    /// <returns><see cref="Appended"/>, whose <see cref="Appended.Revisions"/> has one entry, the revision of the last of these events; or
    /// <see cref="RevisionConflict"/> with the stream's actual last revision.</returns>
    /// <exception cref="BatchRefusedException">No events, or a size is out of bounds. Nothing was sent.</exception>
    /// <exception cref="RequestRefusedException">An event is of another stream, or larger than this log takes. Nothing was written.</exception>
    /// <inheritdoc cref="ILog.AppendAsync(EventBatch, CancellationToken)" path="/exception"/>
    Task<AppendResult> AppendAsync(IReadOnlyList<EventData> events, ExpectedRevision expected = default, CancellationToken cancellation = default);

    /// <summary>The stream's events, up to what is committed when the read comes there.</summary>
    /// <param name="direction">Forward (the default): ascending revisions. Backward: descending.</param>
    /// <param name="from">The first revision wanted; the stream's first, or backward its last, unless given.</param>
    /// <param name="cancellation">Ends the sequence with <see cref="OperationCanceledException"/>.</param>
    /// <returns>None when the stream has no event there, or none at all.</returns>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    /// <exception cref="RequestRefusedException"><paramref name="from"/> is negative.</exception>
    /// <exception cref="NodeUnavailableException">A node is down. All events before the failure were given out.</exception>
    /// <exception cref="SegmentFaultedException">A segment cannot be trusted at this place.</exception>
    /// <exception cref="CorruptBlockException">An event does not verify where it arrived.</exception>
    /// <exception cref="DirectoryUnavailableException">Where the events lie is not known and could not be learned.</exception>
    IAsyncEnumerable<RecordedEvent> ReadAsync(ReadDirection direction = ReadDirection.Forward, long? from = null, CancellationToken cancellation = default);

    /// <summary>The stream's last event, or null when it has none.</summary>
    /// <inheritdoc cref="ReadAsync" path="/exception"/>
    Task<RecordedEvent?> TryReadLastAsync(CancellationToken cancellation = default);

    /// <summary>The stream's bounds, or null when it has no event.</summary>
    /// <inheritdoc cref="ReadAsync" path="/exception"/>
    Task<StreamDescription?> DescribeAsync(CancellationToken cancellation = default);
}

/// <summary>Which way a stream is read.</summary>
public enum ReadDirection
{
    /// <summary>From older events to newer ones.</summary>
    Forward = 0,

    /// <summary>From newer events to older ones.</summary>
    Backward = 1,
}

/// <summary>The bounds of a stream.</summary>
/// <param name="Count">How many events it has.</param>
/// <param name="FirstRevision">The revision of its first event.</param>
/// <param name="FirstRecorded">When the log took that.</param>
/// <param name="LastRevision">The revision of its last event.</param>
/// <param name="LastRecorded">When the log took that.</param>
/// <param name="LastPosition">The position of its last event.</param>
public sealed record StreamDescription(
    long Count, long FirstRevision, DateTimeOffset FirstRecorded, long LastRevision, DateTimeOffset LastRecorded, long LastPosition);
