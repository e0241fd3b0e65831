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

/// <summary>A call's place in its sender's order. A line is a series of calls whose order matters; it consists of runs, of which each begins when
/// a call of the one before it got no answer. The writer takes only the next call of a line's newest run and answers <see cref="OutOfSequence"/>
/// to any other, so that what was given up is written no more once something behind it is. It remembers lines in memory only: when one is not
/// known any more, begin a new run with the oldest batch that has no outcome.</summary>
/// <param name="Line">Names the line; random.</param>
/// <param name="Run">The run's number in the line, higher than that of every run before.</param>
/// <param name="Sequence">The call's number in the run, from 0.</param>
[GenerateSerializer, Immutable, Alias("kawa.block-order")]
public sealed record BlockOrder([property: Id(0)] Guid Line, [property: Id(1)] long Run, [property: Id(2)] long Sequence);
