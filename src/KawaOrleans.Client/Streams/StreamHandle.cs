namespace KawaOrleans.Client;

/// <summary>One stream of one log.</summary>
internal sealed class StreamHandle(string name, ILog log, StreamReader reader) : IStreamHandle
{
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
        ReadDirection direction = ReadDirection.Forward, long? from = null, CancellationToken cancellation = default)
    {
        if (from < 0)
        {
            throw new RequestRefusedException($"Revisions start at 0; {from} was asked for.");
        }

        return direction == ReadDirection.Forward
            ? reader.ForwardAsync(from ?? 0, cancellation)
            : reader.BackwardAsync(from ?? long.MaxValue, int.MaxValue, cancellation);
    }

    public async Task<RecordedEvent?> TryReadLastAsync(CancellationToken cancellation = default)
    {
        await foreach (var last in reader.BackwardAsync(long.MaxValue, 1, cancellation).ConfigureAwait(false))
        {
            return last;
        }

        return null;
    }

    public async Task<StreamDescription?> DescribeAsync(CancellationToken cancellation = default)
    {
        if (await TryReadLastAsync(cancellation).ConfigureAwait(false) is not { } last)
        {
            return null;
        }

        await foreach (var first in reader.ForwardAsync(0, cancellation).ConfigureAwait(false))
        {
            return new StreamDescription(
                last.Revision - first.Revision + 1, first.Revision, first.Recorded, last.Revision, last.Recorded, last.Position);
        }

        return null;
    }
}
