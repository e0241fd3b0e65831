namespace KawaOrleans;

/// <summary>Which events of a range are wanted; every condition that is set must hold.</summary>
[GenerateSerializer, Immutable, Alias("kawa.event-filter")]
public sealed record EventFilter
{
    /// <summary>Only events of these types; of all types unless set.</summary>
    [Id(0)]
    public IReadOnlyList<string>? Types { get; init; }

    /// <summary>Only events of streams whose name begins so, compared byte by byte; of all streams unless set.</summary>
    [Id(1)]
    public string? StreamPrefix { get; init; }

    /// <summary>Only events within these bounds of time; of all times unless set.</summary>
    [Id(2)]
    public TimeBounds? Time { get; init; }
}

/// <summary>Which of an event's two times is meant.</summary>
[GenerateSerializer, Alias("kawa.event-time")]
public enum EventTime
{
    /// <summary>When the log took it.</summary>
    Recorded = 0,

    /// <summary>When it happened in the user's world. Events without that time are outside all bounds.</summary>
    Occurred = 1,
}

/// <summary>A span of time: at or after <see cref="From"/> and before <see cref="To"/>.</summary>
/// <param name="Time">Which of the two times.</param>
/// <param name="From">The first instant inside; unbounded if null.</param>
/// <param name="To">The first instant outside; unbounded if null.</param>
[GenerateSerializer, Immutable, Alias("kawa.time-bounds")]
public sealed record TimeBounds(
    [property: Id(0)] EventTime Time,
    [property: Id(1)] DateTimeOffset? From,
    [property: Id(2)] DateTimeOffset? To);
