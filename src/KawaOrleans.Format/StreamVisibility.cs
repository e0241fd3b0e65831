namespace KawaOrleans;

/// <summary>Which events of a stream its readers see: always the newest ones, from some event on. What is not seen may be removed.</summary>
/// <param name="FirstRevision">None of a lower revision.</param>
/// <param name="RecordedFrom">None that was recorded before: UTC ticks of 100 ns.</param>
public readonly record struct StreamVisibility(long FirstRevision, long RecordedFrom)
{
    /// <summary>All events are seen.</summary>
    public static StreamVisibility All => default;

    /// <summary>What is seen of a stream. Depends on nothing else, so readers and whoever removes events decide alike.</summary>
    /// <param name="metadata">The stream's metadata.</param>
    /// <param name="state">What its last event says of it.</param>
    /// <param name="lastRevision">The revision of its last event; −1: it has none.</param>
    /// <param name="now">The time by which ages are counted.</param>
    public static StreamVisibility Of(StreamMetadata metadata, StreamState state, long lastRevision, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        if (state != StreamState.Live)
        {
            return new StreamVisibility(lastRevision + 1, 0);
        }

        // The age that an event has reached hides it: younger means less.
        var youngest = metadata.MaxAge is { } age ? Math.Max(0, now.UtcTicks - age.Ticks + 1) : 0;
        return new StreamVisibility(Math.Max(metadata.TruncateBefore, metadata.MaxCount is { } count ? lastRevision + 1 - count : 0), youngest);
    }

    /// <summary>True when readers see the event.</summary>
    /// <param name="revision">Its revision.</param>
    /// <param name="recordedTicks">When the log took it.</param>
    public bool Shows(long revision, long recordedTicks) => revision >= FirstRevision && recordedTicks >= RecordedFrom;
}
