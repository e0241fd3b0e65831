namespace KawaOrleans.Storage;

/// <summary>What became of a batch.</summary>
public enum BatchFate
{
    /// <summary>It was written.</summary>
    Written = 0,

    /// <summary>It is in the log already, by an earlier try; nothing was written.</summary>
    Repeated = 1,

    /// <summary>Nothing was written: an event of this id is in the log with other content, or in another batch.</summary>
    OtherContent = 2,

    /// <summary>Nothing was written: some of the events are in the log, but not all of them in this order.</summary>
    PartlyRepeated = 3,

    /// <summary>Nothing was written: two events of the batch have this id.</summary>
    TwiceInBatch = 4,

    /// <summary>Nothing was written: an earlier try may lie before what is remembered.</summary>
    TooOldToTell = 5,

    /// <summary>Nothing was written: a stream is not where the batch expected it.</summary>
    UnexpectedRevision = 6,

    /// <summary>Nothing was written: a stream of the batch has ended for ever.</summary>
    Tombstoned = 7,
}

/// <summary>What became of a batch, and where.</summary>
/// <param name="Fate">What became of it.</param>
/// <param name="Position">Written or repeated: its first position. An id in the way: the position of the event that has it. Too old: the first
/// position remembered. Unexpected revision, tombstoned: the log's end.</param>
/// <param name="Count">Written or repeated: how many events. An id in the way: the number, in the batch, of the event that has it.</param>
/// <param name="Timestamp">Written or repeated: when, in UTC ticks.</param>
/// <param name="EventId">An id in the way: which.</param>
public readonly record struct BatchOutcome(BatchFate Fate, long Position, int Count, long Timestamp, Guid EventId = default)
{
    /// <summary>True when the batch's events are in the log.</summary>
    public bool IsInLog => Fate is BatchFate.Written or BatchFate.Repeated;

    /// <summary>Written or repeated, and something was expected: for each stream named, in order, the revision of the batch's last event in it; −1: the
    /// batch has none.</summary>
    public IReadOnlyList<long>? Revisions { get; init; }

    /// <summary>A stream is not where the batch expected it, or has ended: which, and where it is.</summary>
    public StreamConflict? Conflict { get; init; }
}
