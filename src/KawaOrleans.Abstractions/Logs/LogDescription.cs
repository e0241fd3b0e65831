namespace KawaOrleans;

/// <summary>A log as an operator wants to see it.</summary>
[GenerateSerializer, Immutable, Alias("kawa.log-description")]
public sealed record LogDescription
{
    /// <summary>The chain as the chain store has it.</summary>
    [Id(0)]
    public required Chain Chain { get; init; }

    /// <summary>One entry per segment of the chain, in the same order: the first of its replicas that nothing is wrong with, or the primary's.</summary>
    [Id(1)]
    public required IReadOnlyList<SegmentDescription> Segments { get; init; }

    /// <summary>Events below the committed end, as far as the answering nodes know.</summary>
    [Id(2)]
    public required long Events { get; init; }

    /// <summary>Bytes used in the answering replicas, file headers included.</summary>
    [Id(3)]
    public required long Bytes { get; init; }

    /// <summary>Why the log does not take writes, in one sentence, or null when it does.</summary>
    [Id(4)]
    public required string? WhyNotWritable { get; init; }

    /// <summary>Every replica of every segment, in the order of the chain, each segment's primary first.</summary>
    [Id(5)]
    public IReadOnlyList<SegmentDescription> Replicas { get; init; } = [];

    /// <summary>What is wrong with them, a sentence each: segments on fewer nodes than the log wants, replicas that are damaged, missing or short of their
    /// segment's end, nodes that are waited for. Empty when all is well.</summary>
    [Id(6)]
    public IReadOnlyList<string> Problems { get; init; } = [];
}

/// <summary>How a segment's replica is doing.</summary>
[GenerateSerializer, Alias("kawa.replica-state")]
public enum ReplicaState
{
    /// <summary>No answer, or an I/O error: nothing is known, neither good nor bad.</summary>
    Unknown = 0,

    /// <summary>Made for a segment, not yet written.</summary>
    Prepared = 1,

    /// <summary>Takes appends.</summary>
    Open = 2,

    /// <summary>Refuses its writer; its end is not yet told.</summary>
    Fenced = 3,

    /// <summary>Ended for ever.</summary>
    Sealed = 4,

    /// <summary>Its content cannot be trusted; the description says why.</summary>
    Damaged = 5,

    /// <summary>The node answers and has no such file.</summary>
    Missing = 6,
}

/// <summary>One replica of one segment in a log's description.</summary>
[GenerateSerializer, Immutable, Alias("kawa.segment-description")]
public sealed record SegmentDescription
{
    /// <summary>The segment's id.</summary>
    [Id(0)]
    public required Guid SegmentId { get; init; }

    /// <summary>The node that holds it.</summary>
    [Id(1)]
    public required string Node { get; init; }

    /// <summary>The replica's state.</summary>
    [Id(2)]
    public required ReplicaState State { get; init; }

    /// <summary>Numbers, where the node answered.</summary>
    [Id(3)]
    public required SegmentStats? Stats { get; init; }

    /// <summary>What is wrong, in one sentence, or null.</summary>
    [Id(4)]
    public required string? Problem { get; init; }
}

/// <summary>One line of the list of logs.</summary>
/// <param name="Name">The log's name.</param>
/// <param name="LogId">The log's id.</param>
[GenerateSerializer, Immutable, Alias("kawa.log-summary")]
public sealed record LogSummary([property: Id(0)] string Name, [property: Id(1)] Guid LogId);
