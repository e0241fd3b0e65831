namespace KawaOrleans;

/// <summary>Numbers of one replica.</summary>
[GenerateSerializer, Immutable, Alias("kawa.segment-stats")]
public sealed record SegmentStats
{
    /// <summary>The segment's id.</summary>
    [Id(0)]
    public required Guid SegmentId { get; init; }

    /// <summary>The file, on the node's own file system.</summary>
    [Id(1)]
    public required string Path { get; init; }

    /// <summary>True when it takes no appends.</summary>
    [Id(2)]
    public required bool IsReadOnly { get; init; }

    /// <summary>The file's size in bytes.</summary>
    [Id(3)]
    public required long TotalBytes { get; init; }

    /// <summary>Bytes used, headers and frames.</summary>
    [Id(4)]
    public required long UsedBytes { get; init; }

    /// <summary>Events held.</summary>
    [Id(5)]
    public required long Events { get; init; }

    /// <summary>The first position.</summary>
    [Id(6)]
    public required long Base { get; init; }

    /// <summary>The committed end.</summary>
    [Id(7)]
    public required long Committed { get; init; }

    /// <summary>The replica's state.</summary>
    [Id(8)]
    public required ReplicaState State { get; init; }
}
