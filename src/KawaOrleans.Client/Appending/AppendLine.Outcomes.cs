namespace KawaOrleans.Client;

/// <summary>What comes back: outcomes for the callers, or a halt and another run.</summary>
internal sealed partial class AppendLine
{
    /// <summary>Each one means that the log rolled and others filled the new segment first.</summary>
    private const int MostSegmentsTried = 64;

    private void Settle(OutgoingBlock block, WriteTarget? target, AppendResult? result, Exception? failure)
    {
        var outcome = BlockOutcome.Of(_log, block, result, failure);
        var given = new List<OutgoingBlock>();
        CancellationTokenSource runEnds;
        var isAlone = false;
        lock (_gate)
        {
            _inFlight--;
            runEnds = _runEnds;
            if (outcome.IsFinal)
            {
                Resolve(block);
                isAlone = block.Batches is [{ GoesOnHere: true }] && _queue.IsEmpty;
                if (!isAlone)
                {
                    block.Batches.ForEach(static batch => batch.GoesOnHere = false);
                    _telling++;
                }

                if (outcome.IsAnswer && !_halted)
                {
                    // The writer knows the run: from here on blocks follow each other without waiting.
                    _target = target;
                    _queue.Fit(target!.MaxEventBytes);
                    _after = null;
                    _segmentsEnded = 0;
                    Volatile.Write(ref _unansweredSince, 0);
                    _backoff.Reset();
                }
            }
            else
            {
                block.LastFailure = outcome.Reason ?? block.LastFailure;
                block.FirstLost ??= outcome.IsLost ? _time.GetTimestamp() : null;
                var now = _time.GetTimestamp();
                if (result is not SegmentEnded)
                {
                    var since = _unansweredSince == 0 ? Math.Max(1, now - _retries.Ticks(Failure.Silence(failure))) : _unansweredSince;
                    Volatile.Write(ref _unansweredSince, Math.Max(since, target?.LastSign ?? 0));
                }

                _segmentsEnded += result is SegmentEnded && !_halted ? 1 : 0;
                _halted = true;

                // Of a lost answer to a lone node nobody else can say anything: it is asked again there.
                _after = target is not null && (outcome.GoesElsewhere || (outcome.IsLost && target.HasOthers)) ? target.SegmentId : _after;
                var pause = outcome.Pause ?? (_pause > TimeSpan.Zero ? _pause : _backoff.Next());
                _pause = pause > _pause ? pause : _pause;
                if (outcome.SplitsBlock)
                {
                    Split(block);
                }
            }

            if (_halted && _inFlight == 0 && !_pausing)
            {
                given = GiveUp();
                _pausing = true;
                _ = ResumeAsync(_pause);
            }
        }

        if (Failure.Silence(failure) > TimeSpan.Zero && target is not null)
        {
            // Whoever is silent to one is silent to those sent after it, and no one's time runs while the others are waited for.
            runEnds.Cancel();
        }

        given.ForEach(TellGivenUp);
        if (!outcome.IsFinal)
        {
            Pump();
            return;
        }

        outcome.Tell(block, _end, target?.LogId ?? Guid.Empty);
        if (isAlone)
        {
            Pump();
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private void Resolve(OutgoingBlock block)
    {
        _unresolved.Remove(block);
        Prune();
        _untold.Add(block);
        _next--;
        _queue.Release(block.Bytes);
    }

    /// <summary>Refused as a whole, and nothing says which batch is to blame: each travels alone.</summary>
    private void Split(OutgoingBlock block)
    {
        var at = _unresolved.IndexOf(block);
        _unresolved.RemoveAt(at);
        _unresolved.InsertRange(at, block.Batches.Select(batch => new OutgoingBlock([batch])
        {
            KnownEnd = block.KnownEnd, FirstLost = block.FirstLost, LastFailure = block.LastFailure,
        }));
    }

    /// <summary>Takes out the blocks, and what waits behind them, that have no time left for another attempt. What goes on at once, such
    /// as a roll, costs none.</summary>
    private List<OutgoingBlock> GiveUp()
    {
        var since = _unansweredSince == 0 ? _time.GetTimestamp() : _unansweredSince;
        var first = _unresolved[0].LastFailure;
        var given = _unresolved.FindAll(block => _segmentsEnded > MostSegmentsTried || (_pause > TimeSpan.Zero && !HasTime(block, since)));
        foreach (var block in given)
        {
            block.LastFailure ??= _segmentsEnded > MostSegmentsTried
                ? new LogNotWritableException(
                    _log, $"{MostSegmentsTried} segments in a row were full before this batch came; append less at the same time, or use larger segments")
                : NoWay(first);
            _unresolved.Remove(block);
            _untold.Add(block);
            _queue.Release(block.Bytes);
        }

        if (_unresolved.Count == 0 && _pause > TimeSpan.Zero && !_retries.HasTimeFor(_pause, since)
            && _queue.TakeGivenUntil(_retries.LatestWithoutTimeFor(_pause)) is { Count: > 0 } waiting)
        {
            given.Add(new OutgoingBlock(waiting) { LastFailure = NoWay(first) });
            _untold.Add(given[^1]);
        }

        return given;
    }

    /// <summary>An answer that was lost is worth asking for again as long as any other; but nobody bears more silence for it.</summary>
    private bool HasTime(OutgoingBlock block, long since)
    {
        since = Math.Max(since, block.Given);
        return block.FirstLost is { } lost
            ? _retries.HasTimeFor(_pause, lost) && _retries.HasPatienceFor(_pause, since)
            : _retries.HasTimeFor(_pause, since);
    }

    private LogNotWritableException NoWay(Exception? of) =>
        new(_log, $"the batches before it found no way to it: {of?.Message ?? "their writer took others first"}");

    private async Task ResumeAsync(TimeSpan pause)
    {
        if (pause > TimeSpan.Zero)
        {
            await Task.Delay(pause, _time).ConfigureAwait(false);
        }
        else
        {
            await Task.Yield();
        }

        lock (_gate)
        {
            (_halted, _pausing, _pause) = (false, false, TimeSpan.Zero);
            (_next, _target) = (0, null);
            _segmentsEnded = _segmentsEnded > MostSegmentsTried ? 0 : _segmentsEnded;
        }

        Pump();
    }

    private void TellGivenUp(OutgoingBlock block)
    {
        var failure = block.LastFailure!;
        var told = block.FirstLost is null ? failure : new UnknownOutcomeException(_log, failure.Message, failure);
        block.Batches.ForEach(batch =>
        {
            batch.GoesOnHere = false;
            batch.Refuse(told);
        });
    }

    /// <summary>Lets go of blocks whose callers all have their outcome.</summary>
    private void Prune() => _untold.RemoveAll(static block => block.IsTold);
}
