using KawaOrleans.Format;

namespace KawaOrleans.Storage.Admission;

/// <summary>Decides of each batch, where it would get its positions, whether it is written, is in the log already, or is refused. No I/O,
/// no clock: the writer asks it for one batch after another.</summary>
/// <remarks>It knows events that are staged but not yet on disk. A batch found among those is answered when the group at hand is on disk,
/// as everything decided while it was staged: nobody is told of an event that may vanish.</remarks>
internal sealed class BatchAdmission(RecentEvents recent)
{
    // As many reads as a processor has under way.
    private const int AtOnce = 16;

    /// <summary>What it knows of the log's newest events.</summary>
    public RecentEvents Recent { get; } = recent;

    /// <summary>Decides of one batch. If it is to be written, its events are known from now on, at the positions from the one before
    /// <see cref="RecentEvents.End"/>.</summary>
    /// <param name="events">The batch.</param>
    /// <param name="retrySince">Of a repeated call: a position that the log had reached when it was first made.</param>
    /// <param name="timestamp">The timestamp it gets if it is written.</param>
    public BatchOutcome Decide(ReadOnlySpan<EventPrint> events, long? retrySince, long timestamp)
    {
        var (start, first) = (Recent.Start, Recent.End);
        for (var i = 0; i < events.Length; i++)
        {
            if (i % AtOnce == 0)
            {
                Recent.Approach(events[i..Math.Min(events.Length, i + AtOnce)]);
            }

            if (!Recent.TryAdd(events[i], out var found))
            {
                Recent.TruncateTo(first);

                // The events before this one may lie where nothing is remembered any more: perhaps all of the batch is in the log.
                return found >= first ? new BatchOutcome(BatchFate.TwiceInBatch, found, i, 0)
                    : i == 0 ? Repeat(events, found, first)
                    : found - i < start ? new BatchOutcome(BatchFate.TooOldToTell, start, 0, 0)
                    : new BatchOutcome(BatchFate.PartlyRepeated, found, i, 0);
            }
        }

        if (retrySince is { } since && since < start)
        {
            Recent.TruncateTo(first);
            return new BatchOutcome(BatchFate.TooOldToTell, start, 0, 0);
        }

        Recent.Stamp(first, timestamp);
        return new BatchOutcome(BatchFate.Written, first, events.Length, timestamp);
    }

    private BatchOutcome Repeat(ReadOnlySpan<EventPrint> events, long at, long end)
    {
        for (var i = 0; i < events.Length; i++)
        {
            if (at + i >= end || Recent.At(at + i).Id != events[i].Id)
            {
                // The event before this one is in the log, this one is not, or lies elsewhere.
                return new BatchOutcome(BatchFate.PartlyRepeated, at + i - 1, i - 1, 0);
            }

            if (Recent.At(at + i).Content != events[i].Content)
            {
                return new BatchOutcome(BatchFate.OtherContent, at + i, i, 0);
            }
        }

        return new BatchOutcome(BatchFate.Repeated, at, events.Length, Recent.TimestampAt(at));
    }
}
