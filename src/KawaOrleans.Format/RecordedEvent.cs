namespace KawaOrleans;

/// <summary>One event as the log holds it, decoded to objects. <see cref="EventFrame"/> is the form without allocations.</summary>
public sealed record RecordedEvent
{
    /// <summary>The event's number in its log, from 0.</summary>
    public required long Position { get; init; }

    /// <summary>The event's number in its stream, from 0.</summary>
    public required long Revision { get; init; }

    /// <summary>The stream's name.</summary>
    public required string Stream { get; init; }

    /// <summary>The event type's name.</summary>
    public required string Type { get; init; }

    /// <summary>The id the writer gave.</summary>
    public required Guid Id { get; init; }

    /// <summary>When the log took the event: the writer's clock, never decreasing in a log.</summary>
    public required DateTimeOffset Recorded { get; init; }

    /// <summary>When it happened in the user's world, if the writer said so.</summary>
    public required DateTimeOffset? Occurred { get; init; }

    /// <summary>The payload.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>The bytes about the event; empty where there are none.</summary>
    public required ReadOnlyMemory<byte> Metadata { get; init; }
}
