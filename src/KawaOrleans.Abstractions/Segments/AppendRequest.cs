namespace KawaOrleans;

/// <summary>Batches to be appended by one call, each all or nothing for itself.</summary>
[GenerateSerializer, Immutable, Alias("kawa.append-request")]
public sealed record AppendRequest
{
    /// <summary>One or more whole batches, one behind another: <see cref="Block.Of(EventBatch)"/>, <see cref="Block.Of(IReadOnlyList{EventBatch})"/>.
    /// At most <see cref="Limits.MaxBatchBytes"/> together.</summary>
    [Id(0)]
    public required Block Batches { get; init; }

    /// <summary>Where this call comes in its sender's order; null (the default): the order among calls does not matter.</summary>
    [Id(1)]
    public BlockOrder? Order { get; init; }

    /// <summary>Set when the same batches may have been sent before: a position up to which the log was known to hold events when they were
    /// first sent, 0 if nothing was known. Batches found among the recent events are answered with their first positions. When
    /// they are not found and the writer does not remember back to this position, the answer is <see cref="TooOldToTell"/>.</summary>
    [Id(2)]
    public long? RetrySince { get; init; }

    /// <summary>What each batch expects of streams, in order, null for one that expects nothing; null (the default): none does. A batch whose streams
    /// are not as it expects is answered with <see cref="RevisionConflict"/>; the others are not touched by that.</summary>
    [Id(3)]
    public IReadOnlyList<StreamExpectations?>? Expected { get; init; }
}

/// <summary>A call's place in its sender's order. A run is a series of calls whose order matters, numbered from 0; the writer takes only
/// the next one of a run and answers <see cref="OutOfSequence"/> to any other. The writer remembers runs in memory only: when one is
/// not known any more, begin a new one with the oldest batch that has no outcome.</summary>
/// <param name="Run">Names the run; random.</param>
/// <param name="Sequence">The call's number in the run.</param>
[GenerateSerializer, Immutable, Alias("kawa.block-order")]
public sealed record BlockOrder([property: Id(0)] Guid Run, [property: Id(1)] long Sequence);
