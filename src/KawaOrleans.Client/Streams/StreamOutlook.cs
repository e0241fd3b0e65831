namespace KawaOrleans.Client;

/// <summary>What a read shows of a stream: decided once, by what is known of the stream when the read begins.</summary>
internal sealed class StreamOutlook(StreamSegments segments, StreamPages pages, TimeProvider time)
{
    /// <summary>What is seen of a stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="newest">What the newest segment answered, its standing included.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="StreamTombstonedException">The stream has ended for ever.</exception>
    public async Task<StreamVisibility> OfAsync(string stream, StreamAnswer newest, CancellationToken cancellation)
    {
        long lastRevision;
        var state = StreamState.Live;
        var hasMetadata = true;
        if (newest.Result.Standing is { } standing)
        {
            lastRevision = standing.LastRevision;
            state = standing.IsTombstoned ? StreamState.Tombstoned : standing.IsDeleted ? StreamState.Deleted : StreamState.Live;
            hasMetadata = standing.MetadataPosition >= 0;
        }
        else
        {
            // Its node does not hold what lies before: the segments themselves say it.
            var last = await LastAsync(stream, cancellation).ConfigureAwait(false);
            lastRevision = last?.Revision ?? -1;
            state = StateAfter(last);
        }

        if (state == StreamState.Tombstoned)
        {
            throw new StreamTombstonedException(segments.LogName, new StreamTombstoned(stream, lastRevision));
        }

        var metadata = state == StreamState.Live && hasMetadata
            ? (await MetadataAsync(stream, cancellation).ConfigureAwait(false)).Metadata
            : StreamMetadata.None;
        return StreamVisibility.Of(metadata, state, lastRevision, time.GetUtcNow());
    }

    /// <summary>The revision of the first event that is seen, of those there are.</summary>
    public async Task<long> FirstAsync(string stream, StreamVisibility shown, StreamAnswer newest, CancellationToken cancellation)
    {
        if (shown.RecordedFrom == 0)
        {
            return shown.FirstRevision;
        }

        var request = pages.Request(stream, 0) with { MaxEvents = 0, RecordedFrom = new DateTimeOffset(shown.RecordedFrom, TimeSpan.Zero) };
        var first = 0L;
        var answer = await segments.SameAsync(newest, request, cancellation).ConfigureAwait(false);
        while (answer is not null)
        {
            answer.Dispose();
            if (answer.HasStream)
            {
                first = first == 0 || answer.Result.FirstSince < answer.End ? answer.Result.FirstSince : first;
                if (answer.Result.FirstSince > answer.First)
                {
                    break;
                }
            }

            answer = await segments.OlderAsync(answer, request, cancellation).ConfigureAwait(false);
        }

        return Math.Max(shown.FirstRevision, first);
    }

    /// <summary>The stream's last event, seen or not, of whatever type; or null.</summary>
    public async Task<RecordedEvent?> LastAsync(string stream, CancellationToken cancellation)
    {
        var request = pages.Request(stream, long.MaxValue) with { Backward = true, MaxEvents = 1 };
        if (await pages.BeginAsync(request, follow: false, cancellation).ConfigureAwait(false) is { } newest)
        {
            await foreach (var page in pages.BackwardAsync(newest, request, cancellation).ConfigureAwait(false))
            {
                return page[0];
            }
        }

        return null;
    }

    /// <summary>The stream's metadata and their revision.</summary>
    /// <exception cref="RequestRefusedException">They are of a later version than this client knows.</exception>
    public async Task<StreamMetadataResult> MetadataAsync(string stream, CancellationToken cancellation)
    {
        if (await LastAsync(StreamMetadata.StreamOf(stream), cancellation).ConfigureAwait(false) is not { } last)
        {
            return new StreamMetadataResult(StreamMetadata.None, -1);
        }

        return StreamMetadata.Decode(last.Data.Span, last.Metadata) is { } metadata
            ? new StreamMetadataResult(metadata, last.Revision)
            : throw new RequestRefusedException(
                $"The metadata of stream '{stream}', at position {last.Position}, are of a later version than this client knows. Use the client that wrote them, or set them anew.");
    }

    /// <summary>The events of a page that belong to what happened: not those by which the stream was deleted.</summary>
    public static List<RecordedEvent> Without(List<RecordedEvent> page) =>
        page.Exists(static e => StateAfter(e) != StreamState.Live) ? page.FindAll(static e => StateAfter(e) == StreamState.Live) : page;

    /// <exception cref="StreamTombstonedException">The event ended its stream, after the read began.</exception>
    public void RefuseIfEnded(string stream, RecordedEvent newest)
    {
        if (StateAfter(newest) == StreamState.Tombstoned)
        {
            throw new StreamTombstonedException(segments.LogName, new StreamTombstoned(stream, newest.Revision));
        }
    }

    /// <summary>What a stream's last event says of it. Users' types do not begin with <c>$</c>.</summary>
    public static StreamState StateAfter(RecordedEvent? last) => last?.Type switch
    {
        StreamChange.DeletedType => StreamState.Deleted,
        StreamChange.TombstoneType => StreamState.Tombstoned,
        _ => StreamState.Live,
    };
}
