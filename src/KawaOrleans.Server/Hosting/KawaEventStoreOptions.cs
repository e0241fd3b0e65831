namespace KawaOrleans.Server;

/// <summary>Where a silo keeps its part of the event store.</summary>
public sealed class KawaEventStoreOptions
{
    /// <summary>The grain storage provider that <see cref="UseGrainStorageForChains"/> looks for.</summary>
    public const string ChainStorageName = "kawa-chains";

    /// <summary>This node's segment files: a directory on a local disk that no other silo uses. Made if missing; locked while the
    /// silo runs. It remembers the node's name: give the same directory to the same node. No default.</summary>
    public string DataDirectory { get; set; } = "";

    /// <summary>The name the chains know this node by: <c>[a-z0-9][a-z0-9._-]{0,127}</c>, one node per name in a cluster, the same
    /// after every restart. When set it becomes the silo's name; unless set, the silo's name is taken.</summary>
    public string? NodeName { get; set; }

    /// <summary>The embedded chain store: one directory that all silos of one host share, outside every
    /// <see cref="DataDirectory"/>. Silos on several machines need a networked store: <see cref="UseGrainStorageForChains"/>.
    /// No default; one of the two must be set.</summary>
    public string? ChainStorePath { get; set; }

    /// <summary>Keeps chains and catalogue in the grain storage provider that the silo registers under
    /// <see cref="ChainStorageName"/> (Redis, PostgreSQL, Azure …; it must check ETags) instead of <see cref="ChainStorePath"/>.
    /// Off unless set.</summary>
    public bool UseGrainStorageForChains { get; set; }

    /// <summary>What a log is created with when its first append, not <c>CreateLogAsync</c>, creates it; <see cref="LogOptions"/>' own defaults
    /// unless set: one replica. The same on all silos, or the silo that happens to be asked decides.</summary>
    public LogOptions NewLogs { get; set; } = new();

    /// <summary>How many of its log's newest events each writer remembers by their ids, to know repeated appends again; 1,048,576 unless set, 0 to
    /// 16,777,216. Takes 28 bytes an event and log written here, as events come. Fewer: a retry after a longer silence is more often
    /// told that nobody knows. 0: every retry is.</summary>
    public int RememberedEvents { get; set; } = 1024 * 1024;

    /// <summary>How many bytes of appends one segment holds that are not on disk yet; 32 MiB unless set, at least 8 MiB. More are answered
    /// <see cref="KawaOrleans.Busy"/>. Larger: more memory and longer waits; smaller: callers are turned away by a shorter pause of the disk.</summary>
    public long MaxQueuedBytesPerSegment { get; set; } = 32L * 1024 * 1024;

    /// <summary>The same for all segments of this silo together; 256 MiB unless set, at least 8 MiB.</summary>
    public long MaxQueuedBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>How many bytes a second a node reads and writes to copy replicas from other nodes and to verify its own; 32 MiB unless set, at least
    /// 1 MiB. Larger: lost replicas are back sooner; smaller: appends and reads feel less of it.</summary>
    public long HealingBytesPerSecond { get; set; } = 32L * 1024 * 1024;
}
