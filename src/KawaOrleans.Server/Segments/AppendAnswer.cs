using KawaOrleans.Storage;

namespace KawaOrleans.Server.Segments;

/// <summary>What is told of a block: in its short form wherever its batches lie one behind another.</summary>
internal static class AppendAnswer
{
    public static AppendResult Of(in AppendedBlock block)
    {
        if (block.Outcomes is not { } outcomes)
        {
            return new Appended(block.First, block.Count, Time(block.Timestamp));
        }

        if (outcomes.Count == 1)
        {
            return Of(outcomes[0]);
        }

        if (outcomes.All(static outcome => outcome.Fate == BatchFate.Written))
        {
            return new Appended(block.First, block.Count, Time(block.Timestamp))
            {
                Revisions = outcomes.SelectMany(static outcome => outcome.Revisions ?? []).ToArray(),
            };
        }

        return IsOneRepeat(outcomes, out var events)
            ? new Appended(outcomes[0].Position, events, Time(outcomes[0].Timestamp)) { IsRepeat = true }
            : new BatchOutcomes([.. outcomes.Select(static outcome => Of(outcome))]);
    }

    private static bool IsOneRepeat(IReadOnlyList<BatchOutcome> outcomes, out int events)
    {
        events = 0;
        foreach (var outcome in outcomes)
        {
            if (outcome.Fate != BatchFate.Repeated || outcome.Revisions is not null || outcome.Position != outcomes[0].Position + events || outcome.Timestamp != outcomes[0].Timestamp)
            {
                return false;
            }

            events += outcome.Count;
        }

        return true;
    }

    private static AppendResult Of(BatchOutcome outcome) => outcome.Fate switch
    {
        BatchFate.Written or BatchFate.Repeated =>
            new Appended(outcome.Position, outcome.Count, Time(outcome.Timestamp)) { IsRepeat = outcome.Fate == BatchFate.Repeated, Revisions = outcome.Revisions },
        BatchFate.UnexpectedRevision when outcome.Conflict is { } conflict => new RevisionConflict(conflict.Stream, conflict.Expected, conflict.ActualRevision)
        {
            IsDeleted = conflict.State == StreamState.Deleted,
        },
        BatchFate.Tombstoned when outcome.Conflict is { } ended => new StreamTombstoned(ended.Stream, ended.ActualRevision),
        BatchFate.OtherContent => new IdConflict(outcome.EventId, outcome.Position, IdConflictKind.OtherContent),
        BatchFate.PartlyRepeated => new IdConflict(outcome.EventId, outcome.Position, IdConflictKind.PartlyRepeated),
        BatchFate.TwiceInBatch => new IdConflict(outcome.EventId, outcome.Position, IdConflictKind.TwiceInBatch),
        _ => new TooOldToTell(outcome.Position),
    };

    private static DateTimeOffset Time(long ticks) => new(ticks, TimeSpan.Zero);
}
