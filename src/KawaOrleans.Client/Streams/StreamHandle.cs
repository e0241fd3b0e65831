namespace KawaOrleans.Client;

/// <summary>One stream of one log.</summary>
internal sealed class StreamHandle(string name, ILog log, StreamReader reader) : IStreamHandle
{
    private readonly StreamChanges _changes = new(name, log, reader);

    public string Name => name;

    public ILog Log => log;

    public Task<AppendResult> AppendAsync(IReadOnlyList<EventData> events, ExpectedRevision expected = default, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(events);
        foreach (var e in events)
        {
            if (e.Stream != name)
            {
                throw new RequestRefusedException(
                    $"An event of stream '{e.Stream}' was given to stream '{name}'. Append to several streams at once by the log's {nameof(ILog.AppendAsync)}.");
            }
        }

        // Also when nothing is expected: being named brings back the revision.
        return log.AppendAsync(EventBatch.Encode(events), StreamExpectations.Of(new StreamExpectation(name, expected)), cancellation);
    }

    public IAsyncEnumerable<RecordedEvent> ReadAsync(
        ReadDirection direction = ReadDirection.Forward, long? from = null, bool follow = false, CancellationToken cancellation = default)
    {
        if (from < 0)
        {
            throw new RequestRefusedException($"Revisions start at 0; {from} was asked for.");
        }

        if (direction == ReadDirection.Forward)
        {
            return reader.ForwardAsync(from ?? 0, follow, cancellation);
        }

        return follow
            ? throw new RequestRefusedException("A stream is followed forward: backward nothing new can come.")
            : reader.BackwardAsync(from ?? long.MaxValue, cancellation);
    }

    public Task<RecordedEvent?> TryReadLastAsync(CancellationToken cancellation = default) => reader.LastAsync(cancellation);

    public async Task<StreamDescription?> DescribeAsync(CancellationToken cancellation = default)
    {
        if (await reader.LastAsync(cancellation).ConfigureAwait(false) is not { } last)
        {
            return await reader.LastOfAllAsync(cancellation).ConfigureAwait(false) is { } hidden && StreamOutlook.StateAfter(hidden) == StreamState.Live
                ? new StreamDescription(0, hidden.Revision + 1, hidden.Recorded, hidden.Revision, hidden.Recorded, hidden.Position)
                : null;
        }

        return await reader.FirstAsync(cancellation).ConfigureAwait(false) is { } first && first.Revision <= last.Revision
            ? new StreamDescription(last.Revision - first.Revision + 1, first.Revision, first.Recorded, last.Revision, last.Recorded, last.Position)
            : null;
    }

    public Task<StreamMetadataResult> GetMetadataAsync(CancellationToken cancellation = default) => reader.MetadataAsync(cancellation);

    public Task<AppendResult> SetMetadataAsync(StreamMetadata metadata, ExpectedRevision expected = default, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return metadata.WhyNot() is { } reason
            ? throw new RequestRefusedException($"Stream '{name}' cannot have such metadata: {reason}.")
            : _changes.SetMetadataAsync(metadata, expected, cancellation);
    }

    public Task<AppendResult> DeleteAsync(ExpectedRevision expected = default, CancellationToken cancellation = default) => _changes.DeleteAsync(expected, cancellation);

    public Task<AppendResult> TombstoneAsync(ExpectedRevision expected = default, CancellationToken cancellation = default) => _changes.TombstoneAsync(expected, cancellation);
}
