using MemoryPack;

namespace KawaOrleans;

/// <summary>The versioned list of a log's segments: the only authority on where a segment ends and which one is written.
/// It changes only by compare-and-swap on <see cref="Version"/>.</summary>
[GenerateSerializer, Immutable, Alias("kawa.chain"), MemoryPackable(GenerateType.VersionTolerant)]
public sealed partial record Chain
{
    /// <summary>The log's id; a deleted and recreated log has another.</summary>
    [Id(0), MemoryPackOrder(0)]
    public required Guid LogId { get; init; }

    /// <summary>The log's name.</summary>
    [Id(1), MemoryPackOrder(1)]
    public required string LogName { get; init; }

    /// <summary>Counts the changes of this chain, from 1.</summary>
    [Id(2), MemoryPackOrder(2)]
    public required long Version { get; init; }

    /// <summary>What the log was created with.</summary>
    [Id(3), MemoryPackOrder(3)]
    public required LogOptions Options { get; init; }

    /// <summary>The segments in position order, without holes; only the last may be open. Empty before the first append.</summary>
    [Id(4), MemoryPackOrder(4)]
    public required IReadOnlyList<ChainSegment> Segments { get; init; }

    /// <summary>The highest epoch any segment of this log has had; it never goes back.</summary>
    [Id(5), MemoryPackOrder(5)]
    public required long Epoch { get; init; }

    /// <summary>The segment that takes appends, or null when the log needs one (before its first append).</summary>
    [MemoryPackIgnore]
    public ChainSegment? WriteSegment => Segments.Count > 0 && Segments[^1].IsOpen ? Segments[^1] : null;

    /// <summary>The segment that holds a position, or null when it lies before the first or at or behind the end of a sealed last one.</summary>
    public ChainSegment? Find(long position)
    {
        int low = 0, high = Segments.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var segment = Segments[middle];
            if (position < segment.Base)
            {
                high = middle - 1;
            }
            else if (segment.End is { } end && position >= end)
            {
                low = middle + 1;
            }
            else
            {
                return segment;
            }
        }

        return null;
    }
}
