namespace KawaOrleans.Storage;

/// <summary>Where a replica is in its life; it only ever moves down this list.</summary>
public enum SegmentState
{
    /// <summary>Made, never written.</summary>
    Prepared,

    /// <summary>Has been opened by a writer.</summary>
    Open,

    /// <summary>Refuses its writer for ever; its end is not yet told.</summary>
    Fenced,

    /// <summary>Ended for ever.</summary>
    Sealed,
}

/// <summary>The end of what a replica holds.</summary>
/// <param name="Position">The position behind the last event.</param>
/// <param name="Offset">The file offset behind the last frame.</param>
/// <param name="LastTimestamp">The last event's timestamp (UTC ticks), or the floor given at creation.</param>
public readonly record struct Tail(long Position, long Offset, long LastTimestamp);

/// <summary>Numbers of one replica.</summary>
/// <param name="Path">The file.</param>
/// <param name="IsReadOnly">True when it takes no appends.</param>
/// <param name="TotalBytes">The file's size.</param>
/// <param name="UsedBytes">Header pages and frames.</param>
/// <param name="Events">Events held.</param>
public sealed record ReplicaStats(string Path, bool IsReadOnly, long TotalBytes, long UsedBytes, long Events);

/// <summary>A batch's place in the log.</summary>
/// <param name="First">Its first position.</param>
/// <param name="Count">Its number of events.</param>
/// <param name="Timestamp">The writer's time, UTC ticks.</param>
public readonly record struct AppendedBatch(long First, int Count, long Timestamp);

/// <summary>Consecutive frames, read in place; the memory stays mapped as long as it is referenced.</summary>
/// <param name="Run">Where they lie.</param>
/// <param name="Bytes">The frames.</param>
/// <param name="Next">The position behind the last of them.</param>
public readonly record struct FrameSpan(Format.FrameRun Run, ReadOnlyMemory<byte> Bytes, long Next);
