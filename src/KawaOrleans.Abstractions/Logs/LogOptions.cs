using MemoryPack;

namespace KawaOrleans;

/// <summary>What a log is created with; fixed for its life.</summary>
[GenerateSerializer, Immutable, Alias("kawa.log-options"), MemoryPackable(GenerateType.VersionTolerant)]
public sealed partial record LogOptions
{
    /// <summary>The size a segment file grows to: 64 KiB to 8 GiB, 256 MiB unless set. A log's first segment is small and each
    /// next one doubles up to this. Larger segments mean fewer rolls and chain entries; smaller ones free space sooner.</summary>
    [Id(0), MemoryPackOrder(0)]
    public long SegmentBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>How many nodes hold each segment (N); 1 unless set. Together with <see cref="AckQuorum"/> one of 1/1, 2/2, 3/2 and 5/3.
    /// While fewer nodes live, new segments are made on those there are, never on fewer than <see cref="AckQuorum"/>.</summary>
    [Id(1), MemoryPackOrder(1)]
    public int Replicas { get; init; } = 1;

    /// <summary>How many nodes must have synced an event before it is acknowledged (A); 1 unless set. So many nodes must live for the
    /// log to take appends, and N - A + 1 of a segment's nodes to go on without the others.</summary>
    [Id(2), MemoryPackOrder(2)]
    public int AckQuorum { get; init; } = 1;

    /// <summary>Why these options cannot be taken, or null when they can.</summary>
    public string? WhyNot()
    {
        if (SegmentBytes is < Limits.MinSegmentBytes or > Limits.MaxSegmentBytes)
        {
            return $"{nameof(SegmentBytes)} is {Limits.MinSegmentBytes} (64 KiB) to {Limits.MaxSegmentBytes} (8 GiB); {SegmentBytes} is not";
        }

        return (Replicas, AckQuorum) is (1, 1) or (2, 2) or (3, 2) or (5, 3)
            ? null
            : $"{nameof(Replicas)}/{nameof(AckQuorum)} is 1/1 (no node may be lost), 2/2 (writing waits while one of two is away), 3/2 (any one may die), "
                + $"or 5/3 (any two may die); {Replicas}/{AckQuorum} is not. A higher {nameof(AckQuorum)} stops writing, a lower one the going on elsewhere, at an earlier death";
    }
}
