using KawaOrleans.Format;

namespace KawaOrleans.Storage;

/// <summary>What a segment file says of itself, written once when it is claimed (docs/FORMAT.md, "Header").</summary>
public sealed record SegmentHeader
{
    /// <summary>Id, generation and epoch.</summary>
    public required SegmentIdentity Identity { get; init; }

    /// <summary>The log's id.</summary>
    public required Guid LogId { get; init; }

    /// <summary>The log's name.</summary>
    public required string LogName { get; init; }

    /// <summary>The first position.</summary>
    public required long BasePosition { get; init; }

    /// <summary>The file's size in bytes: a multiple of 4 KiB, at least 64 KiB.</summary>
    public required long FileBytes { get; init; }

    /// <summary>The segment before it, or null for a log's first; its end is <see cref="BasePosition"/>.</summary>
    public Guid? Predecessor { get; init; }

    /// <summary>The chain version it was prepared against.</summary>
    public long ChainVersion { get; init; }

    /// <summary>Ids of the nodes that hold it, 1 to 7; the first is the primary.</summary>
    public required IReadOnlyList<Guid> Ensemble { get; init; }

    /// <summary>True when other nodes hold the segment too.</summary>
    internal bool IsOneOfSeveral => Ensemble.Count > 1;

    /// <summary>How many of them must have synced an event before it is acknowledged.</summary>
    public int AckQuorum { get; init; } = 1;

    /// <summary>The last timestamp of the log before this segment (UTC ticks).</summary>
    public long TimestampFloor { get; init; }

    /// <summary>When it was claimed (UTC ticks); stamped by the engine.</summary>
    public long CreatedTicks { get; init; }
}
