namespace KawaOrleans.Server.Protocol;

/// <summary>What a chain change asks of nodes. An answer that does not come, or that is an I/O error, is
/// <see cref="NodeAnswer{T}.Unknown"/>: never taken for "nothing there".</summary>
internal interface INodes
{
    /// <summary>Names of the nodes whose silo is believed alive, this one included. A hint: only answers count.</summary>
    IReadOnlyList<string> Live { get; }

    /// <summary>Names of the nodes that were in the cluster, as far as its membership remembers, and have no live silo. What they
    /// hold is not known to be nothing. A hint, as <see cref="Live"/> is.</summary>
    IReadOnlyList<string> Missing => [];

    /// <summary>Who the node is and whether it can take a segment.</summary>
    Task<NodeAnswer<NodeReport>> Report(string node, CancellationToken cancellation);

    /// <summary>Whether a segment that the node writes goes on there. A node that is no primary, or is another segment's, has a reason too.</summary>
    Task<NodeAnswer<WriterStanding>> Standing(string node, Guid segmentId, int generation, CancellationToken cancellation);

    /// <summary>Makes a replica for a segment not yet in any chain; answered when file and directory entry are synced.
    /// Repeating it with the same segment is harmless.</summary>
    Task<NodeAnswer<Prepared>> Prepare(string node, NewSegment segment, CancellationToken cancellation);

    /// <summary>Makes the replica refuse its writer from now on, for ever; answered when that is synced.</summary>
    Task<NodeAnswer<FencedTail>> Fence(string node, Guid logId, Guid segmentId, int generation, CancellationToken cancellation);

    /// <summary>Has the node's fenced replica take from another node what it lacks below an end; answered with the position it reaches when that
    /// is synced. What it brings is told to nobody else: it never counts as an acknowledgement.</summary>
    Task<NodeAnswer<long>> Complete(
        string node, Guid logId, Guid segmentId, int generation, string source, long end, CancellationToken cancellation);

    /// <summary>Tells the node a chain: it keeps it if newer than its own (synced), seals the replicas the chain ends, and
    /// lets its open one be written. Answers with the version it now has.</summary>
    Task<NodeAnswer<long>> Announce(string node, Chain chain, CancellationToken cancellation);

    /// <summary>All the node knows of the logs of this name (a deleted and recreated log has several ids), or of every log when
    /// it is null. Files of which not even the log's name can be told are always among them.</summary>
    Task<NodeAnswer<IReadOnlyList<LogInventory>>> Inventory(string node, string? logName, CancellationToken cancellation);
}

/// <summary>An answer, or the reason there is none.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct NodeAnswer<T>([property: Id(0)] T? Value, [property: Id(1)] string? Unknown)
{
    public bool IsKnown => Unknown is null;
}

/// <summary>A node, its room, and the start that it registered last.</summary>
[GenerateSerializer, Immutable]
internal sealed record NodeReport(
    [property: Id(0)] ChainNode Node,
    [property: Id(1)] Guid Cookie,
    [property: Id(2)] long FreeBytes,
    [property: Id(3)] int OpenSegments,
    [property: Id(4)] NodeRecord? Registered = null);

/// <summary>How a primary stands to its segment.</summary>
/// <param name="WhyEnd">Why the segment is to be ended; null while it takes appends and they are acknowledged.</param>
[GenerateSerializer, Immutable]
internal sealed record WriterStanding([property: Id(0)] string? WhyEnd)
{
    /// <summary>True when all that it wrote is acknowledged now: if it ends there, its own fence is enough. A hint.</summary>
    [Id(1)] public bool IsAcknowledged { get; init; }
}

/// <summary>Everything a replica's header says, fixed before any node is asked to make it.</summary>
[GenerateSerializer, Immutable]
internal sealed record NewSegment
{
    [Id(0)] public required Guid LogId { get; init; }

    [Id(1)] public required string LogName { get; init; }

    [Id(2)] public required ChainSegment Segment { get; init; }

    /// <summary>The segment before it and the end the chain gives that one; null for a log's first.</summary>
    [Id(3)] public required Guid? Predecessor { get; init; }

    /// <summary>The chain version it was prepared against: the swap that brings it in compares with exactly this one.</summary>
    [Id(4)] public required long ChainVersion { get; init; }

    /// <summary>The last timestamp of the log so far; the new writer never goes below it.</summary>
    [Id(5)] public required long TimestampFloor { get; init; }

    /// <summary>Why a node does not make a replica of it, or null. A claim that arrives late must not find a new, blank directory under an old name, nor a
    /// replica that was lost since: what it made there would vote for an empty segment.</summary>
    /// <param name="self">The node.</param>
    /// <param name="kept">The version of the newest chain of the log that it was told of; 0: none.</param>
    public string? WhyNotOn(ChainNode self, long kept) =>
        !Segment.Ensemble.Contains(self) ? $"segment {Segment.Id:N} is not for the data directory {self.Id:N} of node '{self.Name}'"
        : kept > ChainVersion ? $"segment {Segment.Id:N} was to follow version {ChainVersion} of the chain of log '{LogName}', and node '{self.Name}' knows version {kept}: no swap can bring it in any more"
        : null;
}

[GenerateSerializer, Immutable]
internal sealed record Prepared([property: Id(0)] ChainNode Node);

/// <summary>How far a fenced replica got.</summary>
[GenerateSerializer, Immutable]
internal sealed record FencedTail(
    [property: Id(0)] long Position,
    [property: Id(1)] long LastTimestamp,
    [property: Id(2)] Guid? OpeningId,
    [property: Id(3)] long SavedChainVersion)
{
    /// <summary>True when its writer, which is fenced with it, was told by enough followers that they hold everything up to the tail: all that was
    /// ever written of the segment is acknowledged, and nothing more will be.</summary>
    [Id(4)] public bool IsAcknowledged { get; init; }
}

/// <summary>What one node knows of one log: the newest chain it was told of, and its files.</summary>
[GenerateSerializer, Immutable]
internal sealed record LogInventory
{
    [Id(0)] public required Guid LogId { get; init; }

    [Id(1)] public required string LogName { get; init; }

    [Id(2)] public required Chain? SavedChain { get; init; }

    [Id(3)] public required IReadOnlyList<ReplicaInventory> Replicas { get; init; }
}

/// <summary>One replica file as its node sees it.</summary>
[GenerateSerializer, Immutable]
internal sealed record ReplicaInventory
{
    [Id(0)] public required ChainSegment Segment { get; init; }

    [Id(1)] public required ReplicaState State { get; init; }

    /// <summary>The position behind the last one it holds; meaningless when <see cref="State"/> is unknown or damaged.</summary>
    [Id(2)] public required long Tail { get; init; }

    [Id(3)] public required long LastTimestamp { get; init; }

    [Id(4)] public required long PreparedAgainst { get; init; }

    [Id(5)] public required string? Problem { get; init; }
}
