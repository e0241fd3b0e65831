namespace KawaOrleans;

/// <summary>What became of the batches of one call, or of one batch among several (<see cref="BatchOutcomes"/>).</summary>
[GenerateSerializer, Immutable, Alias("kawa.append-result")]
public abstract record AppendResult;

/// <summary>The batch, or every batch of the call one behind another, is on disk.</summary>
/// <param name="First">The position of the first event.</param>
/// <param name="Count">The number of events; they have consecutive positions.</param>
/// <param name="Recorded">The writer's time.</param>
[GenerateSerializer, Immutable, Alias("kawa.appended")]
public sealed record Appended([property: Id(0)] long First, [property: Id(1)] int Count, [property: Id(2)] DateTimeOffset Recorded) : AppendResult
{
    /// <summary>The position of the last event.</summary>
    public long Last => First + Count - 1;

    /// <summary>True when these events were in the log already, by an earlier try: nothing was written now.</summary>
    [Id(3)]
    public bool IsRepeat { get; init; }

    /// <summary>When something was expected of streams: for each of them, in the order named, the revision of the batch's last event in it; −1: the batch
    /// has none. Of several batches: those of one behind those of the other. Else null.</summary>
    [Id(4)]
    public IReadOnlyList<long>? Revisions { get; init; }
}

/// <summary>Nothing was written: a stream is not where the batch expected it.</summary>
/// <param name="Stream">The stream; of several the first in the order named.</param>
/// <param name="Expected">What was expected of it.</param>
/// <param name="ActualRevision">The revision of its last event, which is on disk; −1: it has none.</param>
[GenerateSerializer, Immutable, Alias("kawa.revision-conflict")]
public sealed record RevisionConflict(
    [property: Id(0)] string Stream, [property: Id(1)] ExpectedRevision Expected, [property: Id(2)] long ActualRevision) : AppendResult
{
    /// <summary>True when that last event deleted the stream: it counts as one without events, and what is appended next follows that revision.</summary>
    [Id(3)]
    public bool IsDeleted { get; init; }
}

/// <summary>Nothing was written: a stream of the batch, or one of which something was expected, has ended for ever.</summary>
/// <param name="Stream">The stream; of several the first.</param>
/// <param name="Revision">The revision of the event that ended it, which is on disk.</param>
[GenerateSerializer, Immutable, Alias("kawa.stream-tombstoned")]
public sealed record StreamTombstoned([property: Id(0)] string Stream, [property: Id(1)] long Revision) : AppendResult;

/// <summary>The batches of the call had different outcomes.</summary>
/// <param name="Batches">One for each batch, in order: <see cref="Appended"/>, <see cref="RevisionConflict"/>, <see cref="StreamTombstoned"/>,
/// <see cref="IdConflict"/> or <see cref="TooOldToTell"/>.</param>
[GenerateSerializer, Immutable, Alias("kawa.batch-outcomes")]
public sealed record BatchOutcomes([property: Id(0)] IReadOnlyList<AppendResult> Batches) : AppendResult;

/// <summary>Nothing was written: an event of the batch has the id of another event, or only a part of the batch is in the log.</summary>
/// <param name="EventId">The id.</param>
/// <param name="Position">The position of the event that has it; inside the batch itself when an id occurs twice in it.</param>
/// <param name="Kind">What is wrong.</param>
[GenerateSerializer, Immutable, Alias("kawa.id-conflict")]
public sealed record IdConflict(
    [property: Id(0)] Guid EventId, [property: Id(1)] long Position, [property: Id(2)] IdConflictKind Kind) : AppendResult;

/// <summary>How an event's id is in the way.</summary>
[GenerateSerializer, Alias("kawa.id-conflict-kind")]
public enum IdConflictKind
{
    /// <summary>The event in the log has this id and other content.</summary>
    OtherContent = 0,

    /// <summary>Some events of the batch are in the log and others are not, or not in this order: it is no repeat of a whole batch.</summary>
    PartlyRepeated = 1,

    /// <summary>Two events of the batch have this id.</summary>
    TwiceInBatch = 2,
}

/// <summary>Nothing was written now, and whether an earlier try was is not known: the writer remembers the events from a position on,
/// and the earlier try may lie before it. Read the log.</summary>
/// <param name="KnownFrom">The first position the writer remembers.</param>
[GenerateSerializer, Immutable, Alias("kawa.too-old-to-tell")]
public sealed record TooOldToTell([property: Id(0)] long KnownFrom) : AppendResult;

/// <summary>Nothing was written: the segment takes no more, the log goes on in another.</summary>
[GenerateSerializer, Immutable, Alias("kawa.segment-ended")]
public sealed record SegmentEnded : AppendResult
{
    /// <summary>The chain with the segment in which it goes on, where the writer opened that itself. Null: ask the directory.</summary>
    [Id(0)]
    public Chain? Chain { get; init; }
}

/// <summary>Nothing was written: this node is not the segment's writer.</summary>
/// <param name="Reason">Why, in one sentence.</param>
[GenerateSerializer, Immutable, Alias("kawa.not-primary")]
public sealed record NotPrimary([property: Id(0)] string Reason) : AppendResult;

/// <summary>Nothing was written: more waits for the disk already than this segment, or its silo, holds in memory.</summary>
/// <param name="RetryAfter">When to try again.</param>
[GenerateSerializer, Immutable, Alias("kawa.busy")]
public sealed record Busy([property: Id(0)] TimeSpan RetryAfter) : AppendResult;

/// <summary>Nothing was written: this is not the next call of its line's newest run, or the writer does not know the line. See <see cref="BlockOrder"/>.</summary>
[GenerateSerializer, Immutable, Alias("kawa.out-of-sequence")]
public sealed record OutOfSequence : AppendResult;
