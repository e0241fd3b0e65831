using MemoryPack;

namespace KawaOrleans;

/// <summary>Shorter ways to append. Outcomes and errors are those of <see cref="ILog.AppendAsync(EventBatch, CancellationToken)"/>.</summary>
public static class LogAppends
{
    /// <summary>Appends one event.</summary>
    /// <exception cref="BatchRefusedException">A name or the size is out of bounds. Nothing was sent.</exception>
    public static Task<Appended> AppendAsync(this ILog log, EventData newEvent, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(log);
        return log.AppendAsync(EventBatch.Of(newEvent), cancellation);
    }

    /// <summary>Appends the events in this order as one batch: all of them or none, at consecutive positions.</summary>
    /// <exception cref="BatchRefusedException">No events, or a name or a size is out of bounds. Nothing was sent.</exception>
    public static Task<Appended> AppendAsync(this ILog log, IReadOnlyList<EventData> events, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(log);
        return log.AppendAsync(EventBatch.Encode(events), cancellation);
    }

    /// <summary>Appends a value of your own, encoded by MemoryPack.</summary>
    /// <typeparam name="T">A type that MemoryPack can encode, usually one marked <see cref="MemoryPackableAttribute"/>.</typeparam>
    /// <param name="log">The log.</param>
    /// <param name="stream">The stream's name.</param>
    /// <param name="type">The event type's name as the log keeps it. It outlives the .NET type's name: choose it for years.</param>
    /// <param name="value">The value.</param>
    /// <param name="cancellation">Ends the wait; an event that was already sent may be written all the same.</param>
    /// <exception cref="BatchRefusedException">A name or the size is out of bounds. Nothing was sent.</exception>
    public static Task<Appended> AppendAsync<T>(this ILog log, string stream, string type, T value, CancellationToken cancellation = default) =>
        log.AppendAsync(TypedEvent.Encode(stream, type, value), cancellation);
}
