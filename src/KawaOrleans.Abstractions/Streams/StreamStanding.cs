namespace KawaOrleans;

/// <summary>What is known of a stream where a segment ends. Of the log's newest segment: what the stream is now.</summary>
[GenerateSerializer, Immutable, Alias("kawa.stream-standing")]
public sealed record StreamStanding
{
    /// <summary>The revision of its last event; −1: it has none.</summary>
    [Id(0)]
    public required long LastRevision { get; init; }

    /// <summary>True when that event deleted the stream.</summary>
    [Id(1)]
    public required bool IsDeleted { get; init; }

    /// <summary>True when that event ended the stream for ever.</summary>
    [Id(2)]
    public required bool IsTombstoned { get; init; }

    /// <summary>The position of the last event in the stream of its metadata (<see cref="StreamMetadata.StreamOf"/>); −1: there is none.</summary>
    [Id(3)]
    public required long MetadataPosition { get; init; }
}
