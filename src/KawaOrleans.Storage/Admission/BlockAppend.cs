namespace KawaOrleans.Storage.Admission;

/// <summary>Decides of the batches of one block, one after another, and has those written that are to be: a batch that is in the log already is not
/// written again, whatever it expects; one that expects of streams what is not so is not written.</summary>
internal static class BlockAppend
{
    /// <summary>Appends batches of which nothing is to be decided.</summary>
    /// <exception cref="SegmentDamagedException">What the look-up of a stream rests on does not verify; nothing is staged.</exception>
    /// <exception cref="TombstoneException">A stream of the batch has ended; nothing is staged.</exception>
    public static AppendedBlock Run<TStage>(TStage stage, ReadOnlySpan<byte> batches, long now)
        where TStage : IBatchStage
    {
        var room = stage.Room(batches.Length);
        var numbered = false;
        try
        {
            if (stage.Cursor.Number(batches, room, StreamExpectations.None) is { } ended)
            {
                throw new TombstoneException(ended.Stream, ended.ActualRevision);
            }

            numbered = true;
        }
        finally
        {
            if (!numbered)
            {
                stage.Drop(room);
            }
        }

        var appended = stage.Stage(room, now);
        return new AppendedBlock(appended.First, appended.Count, appended.Timestamp, null);
    }

    /// <summary>Appends the batches of a block.</summary>
    /// <exception cref="SegmentDamagedException">What the look-up of a stream rests on does not verify; the batches before are staged.</exception>
    public static AppendedBlock Run<TStage>(
        TStage stage, EventBlock block, WriterMemory? memory, long? retrySince, IReadOnlyList<StreamExpectations?>? expected, long now)
        where TStage : IBatchStage
    {
        var cursor = stage.Cursor;
        var first = cursor.Position;
        var timestamp = Math.Max(now, cursor.LastTimestamp);

        // Kept only once there is more to say than that all are written.
        BatchOutcome[]? outcomes = null;
        var (bytesBegin, eventsBegin) = (0, 0);
        for (var i = 0; i < block.BatchCount; i++)
        {
            var (bytesEnd, eventsEnd) = block.Batches[i];
            var batch = block.Bytes.Span[bytesBegin..bytesEnd];
            var expects = expected?[i];
            var outcome = memory?.Decide(block, eventsBegin, eventsEnd, retrySince, timestamp)
                ?? new BatchOutcome(BatchFate.Written, cursor.Position, eventsEnd - eventsBegin, timestamp);
            if (outcome.Fate == BatchFate.Written)
            {
                outcome = Write(stage, batch, memory, expects, outcome, now);
            }
            else if (outcome.Fate == BatchFate.Repeated && expects is not null)
            {
                outcome = outcome with { Revisions = expects.LastIn(batch, memory!.RevisionsOf(outcome.Position, outcome.Count)) };
            }

            if (outcomes is null && (outcome.Fate != BatchFate.Written || expects is not null))
            {
                outcomes = AllWritten(block, i, first, timestamp);
            }

            if (outcomes is not null)
            {
                outcomes[i] = outcome;
            }

            (bytesBegin, eventsBegin) = (bytesEnd, eventsEnd);
        }

        return new AppendedBlock(first, (int)(cursor.Position - first), timestamp, outcomes);
    }

    private static BatchOutcome Write<TStage>(
        TStage stage, ReadOnlySpan<byte> batch, WriterMemory? memory, StreamExpectations? expects, BatchOutcome outcome, long now)
        where TStage : IBatchStage
    {
        var cursor = stage.Cursor;
        var room = stage.Room(batch.Length);
        var written = false;
        try
        {
            if (cursor.Number(batch, room, expects ?? StreamExpectations.None) is { } conflict)
            {
                var fate = conflict.State == StreamState.Tombstoned ? BatchFate.Tombstoned : BatchFate.UnexpectedRevision;
                return new BatchOutcome(fate, cursor.Position, 0, 0) { Conflict = conflict };
            }

            memory?.Number(outcome.Position, cursor.Revisions);
            stage.Stage(room, now);
            written = true;
            return expects is null ? outcome : outcome with { Revisions = expects.LastIn(batch, cursor.Revisions) };
        }
        finally
        {
            if (!written)
            {
                stage.Drop(room);
                memory?.ForgetFrom(outcome.Position);
            }
        }
    }

    /// <summary>Outcomes of which those before an index say that the batches were written, one behind another.</summary>
    private static BatchOutcome[] AllWritten(EventBlock block, int count, long first, long timestamp)
    {
        var outcomes = new BatchOutcome[block.BatchCount];
        var begin = 0;
        for (var i = 0; i < count; i++)
        {
            var end = block.Batches[i].EventsEnd;
            outcomes[i] = new BatchOutcome(BatchFate.Written, first + begin, end - begin, timestamp);
            begin = end;
        }

        return outcomes;
    }
}
