namespace KawaOrleans.ClientSample.Ndjson;

/// <summary>Appends the events of a checked file to a log, in the file's order.</summary>
internal static class Import
{
    private const int EventsPerBatch = 1000;
    private const int BytesPerBatch = 1024 * 1024;

    /// <summary>Appends all events and answers with their number.</summary>
    /// <param name="file">The file, checked.</param>
    /// <param name="log">The log.</param>
    /// <param name="progress">Is told how many events are in, after each batch.</param>
    /// <param name="cancellation">Ends the import behind the batch under way.</param>
    /// <exception cref="ImportFailedException">Some events are in and the others are not; the message says which.</exception>
    public static async Task<long> RunAsync(EventFile file, ILog log, IProgress<long>? progress, CancellationToken cancellation)
    {
        var appended = 0L;
        var underWay = 0;
        try
        {
            await foreach (var batch in BatchesAsync(file.ReadAsync(cancellation)))
            {
                cancellation.ThrowIfCancellationRequested();
                underWay = batch.Count;

                // Not cancelled in flight: then nobody could say whether the batch is in.
                await log.AppendAsync(batch, CancellationToken.None);
                appended += batch.Count;
                underWay = 0;
                progress?.Report(appended);
            }
        }
        catch (Exception failure) when (failure is KawaException or BatchRefusedException or BadLineException or IOException or OperationCanceledException)
        {
            throw new ImportFailedException(file, appended, underWay, failure);
        }

        return appended;
    }

    private static async IAsyncEnumerable<List<EventData>> BatchesAsync(IAsyncEnumerable<EventData> events)
    {
        var batch = new List<EventData>();
        var bytes = 0;
        await foreach (var e in events)
        {
            var eventBytes = e.Data.Length + e.Metadata.Length;
            if (batch.Count == EventsPerBatch || (batch.Count > 0 && bytes + eventBytes > BytesPerBatch))
            {
                yield return batch;
                (batch, bytes) = ([], 0);
            }

            batch.Add(e);
            bytes += eventBytes;
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }
}
