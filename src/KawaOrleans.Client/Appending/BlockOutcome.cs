namespace KawaOrleans.Client;

/// <summary>What one attempt at a block means.</summary>
internal sealed class BlockOutcome
{
    private readonly AppendResult? _answer;
    private readonly string _log;

    private BlockOutcome(string log, AppendResult? answer, Exception? reason = null) => (_log, _answer, Reason) = (log, answer, reason);

    /// <summary>True when every batch of it has its outcome.</summary>
    public bool IsFinal { get; private init; }

    /// <summary>True when the writer decided of the block.</summary>
    public bool IsAnswer => IsFinal && _answer is not null;

    /// <summary>True when the block may be in the log, and the answer is lost.</summary>
    public bool IsLost { get; private init; }

    /// <summary>True when the log may go on in another segment.</summary>
    public bool GoesElsewhere { get; private init; }

    /// <summary>True when the batches are to be tried one by one.</summary>
    public bool SplitsBlock { get; private init; }

    /// <summary>How long to wait before the next attempt; null: longer each time.</summary>
    public TimeSpan? Pause { get; private init; }

    /// <summary>Why not.</summary>
    public Exception? Reason { get; }

    public static BlockOutcome Of(string log, OutgoingBlock block, AppendResult? result, Exception? failure) => failure switch
    {
        null => OfAnswer(log, block, result),
        _ when Failure.HadNoEffect(failure) || failure is DirectoryUnavailableException => new BlockOutcome(log, null, failure) { GoesElsewhere = true },
        _ when !Failure.SaysNotWritten(failure) => new BlockOutcome(log, null, failure) { IsLost = true },
        RequestRefusedException when block.Batches.Count > 1 => new BlockOutcome(log, null, failure) { SplitsBlock = true, Pause = TimeSpan.Zero },
        _ => new BlockOutcome(log, null, failure) { IsFinal = true },
    };

    /// <summary>Gives each batch its own, of an outcome that is final; <paramref name="end"/> is told what was acknowledged in this log.</summary>
    public void Tell(OutgoingBlock block, KnownEnd end, Guid logId)
    {
        if (Reason is not null)
        {
            block.Batches.ForEach(batch => batch.Refuse(Reason));
        }
        else if (_answer is Appended all && block.Batches.Count > 1)
        {
            end.Reached(logId, all.Last + 1);
            var (first, named, revisions) = (all.First, 0, all.Revisions?.ToArray());
            foreach (var batch in block.Batches)
            {
                var names = batch.Expected?.Count ?? 0;
                batch.Tell(all with { First = first, Count = batch.Batch.Count, Revisions = batch.Expected is null ? null : revisions?[named..(named + names)] });
                first += batch.Batch.Count;
                named += names;
            }
        }
        else
        {
            for (var i = 0; i < block.Batches.Count; i++)
            {
                Tell(block.Batches[i], _answer is BatchOutcomes each ? each.Batches[i] : _answer!, end, logId);
            }
        }
    }

    private static BlockOutcome OfAnswer(string log, OutgoingBlock block, AppendResult? answer) => answer switch
    {
        null => new BlockOutcome(log, null) { IsFinal = true },
        SegmentEnded => new BlockOutcome(log, null) { GoesElsewhere = true, Pause = TimeSpan.Zero },
        NotPrimary other => new BlockOutcome(log, null, new LogNotWritableException(log, other.Reason)) { GoesElsewhere = true },
        Busy busy => new BlockOutcome(log, null, new LogNotWritableException(log, "more waits for its disk than its node holds in memory")) { Pause = busy.RetryAfter },
        
        // The first of a run is out of sequence only if somebody else uses its name, or the answer before was lost: no hurry.
        OutOfSequence => new BlockOutcome(log, null) { Pause = block.Order!.Sequence == 0 ? null : TimeSpan.Zero },
        _ => new BlockOutcome(log, answer, WhyUnknown(log, block, answer)) { IsFinal = true },
    };

    /// <summary>Why an answer does not say what became of these batches; null when it does.</summary>
    private static UnknownOutcomeException? WhyUnknown(string log, OutgoingBlock block, AppendResult answer)
    {
        var fits = answer switch
        {
            Appended all => all.Count == block.Batches.Sum(static batch => batch.Batch.Count)
                && (all.Revisions?.Count ?? 0) == block.Batches.Sum(static batch => batch.Expected?.Count ?? 0),
            BatchOutcomes each => each.Batches.Count == block.Batches.Count,
            IdConflict or TooOldToTell or RevisionConflict or StreamTombstoned => true,
            _ => false,
        };
        return fits ? null : new UnknownOutcomeException(log, $"an answer came that does not fit the call: {answer}");
    }

    private void Tell(PendingBatch batch, AppendResult outcome, KnownEnd end, Guid logId)
    {
        switch (outcome)
        {
            case Appended appended:
                end.Reached(logId, appended.Last + 1);
                batch.Tell(appended);
                break;
            case RevisionConflict conflict:
                batch.Tell(conflict);
                break;
            case StreamTombstoned tombstone when batch.Expected is not null:
                batch.Tell(tombstone);
                break;
            case StreamTombstoned tombstone:
                batch.Refuse(new StreamTombstonedException(_log, tombstone));
                break;
            case IdConflict conflict:
                batch.Refuse(new EventIdConflictException(_log, conflict));
                break;
            case TooOldToTell old:
                batch.Refuse(new UnknownOutcomeException(
                    _log, $"its answer was lost, and the writer remembers events from position {old.KnownFrom} on, which may be behind it"));
                break;
            default:
                batch.Refuse(new UnknownOutcomeException(_log, $"an answer of a newer version came: {outcome.GetType().Name}"));
                break;
        }
    }
}
