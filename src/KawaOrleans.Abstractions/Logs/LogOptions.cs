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

    /// <summary>How many nodes hold each segment (N); 1 unless set.</summary>
    [Id(1), MemoryPackOrder(1)]
    public int Replicas { get; init; } = 1;

    /// <summary>How many nodes must have synced an event before it is acknowledged (A); 1 unless set.</summary>
    [Id(2), MemoryPackOrder(2)]
    public int AckQuorum { get; init; } = 1;

    /// <summary>Why these options cannot be taken, or null when they can.</summary>
    public string? WhyNot()
    {
        if (SegmentBytes is < Limits.MinSegmentBytes or > Limits.MaxSegmentBytes)
        {
            return $"{nameof(SegmentBytes)} is {Limits.MinSegmentBytes} (64 KiB) to {Limits.MaxSegmentBytes} (8 GiB); {SegmentBytes} is not";
        }

        return (Replicas, AckQuorum) == (1, 1)
            ? null
            : $"this version keeps one replica of a segment: {nameof(Replicas)} and {nameof(AckQuorum)} are 1; {Replicas} and {AckQuorum} are not";
    }
}
