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
        lock (_gate)
        {
            _inFlight--;
            if (outcome.IsFinal)
            {
                Resolve(block);
                if (outcome.IsAnswer && !_halted)
                {
                    // The writer knows the run: from here on blocks follow each other without waiting.
                    _target = target;
                    _after = null;
                    _segmentsEnded = 0;
                    _backoff.Reset();
                }
            }
            else
            {
                block.LastFailure = outcome.Reason ?? block.LastFailure;
                block.FirstLost ??= outcome.IsLost ? _time.GetTimestamp() : null;
                _segmentsEnded += result is SegmentEnded && !_halted ? 1 : 0;
                _halted = true;
                _after = outcome.GoesElsewhere && target is not null ? target.SegmentId : _after;
                var pause = outcome.Pause ?? _backoff.Next();
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

        given.ForEach(TellGivenUp);
        if (block.Batches.Count > 1)
        {
            TellIfFinal(outcome, block);

            // Behind the callers just told, so that what they append next travels together.
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        else
        {
            // A lone caller may go on on this very thread: what others wait for comes first.
            Pump();
            TellIfFinal(outcome, block);
        }
    }

    private void Resolve(OutgoingBlock block)
    {
        _unresolved.Remove(block);
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
            FirstTried = block.FirstTried, KnownEnd = block.KnownEnd, FirstLost = block.FirstLost, LastFailure = block.LastFailure,
        }));
    }

    /// <summary>Takes out the blocks that have no time left for another attempt. What goes on at once, such as a roll, costs none.</summary>
    private List<OutgoingBlock> GiveUp()
    {
        var given = _unresolved.FindAll(block => _segmentsEnded > MostSegmentsTried
            || (_pause > TimeSpan.Zero && block.FirstTried is { } tried && !_retries.HasTimeFor(_pause, block.FirstLost ?? tried)));
        foreach (var block in given)
        {
            block.LastFailure ??= new LogNotWritableException(_log, _segmentsEnded > MostSegmentsTried
                ? $"{MostSegmentsTried} segments in a row were full before this batch came; append less at the same time, or use larger segments"
                : $"the batches before it found no way to it: {_unresolved[0].LastFailure?.Message ?? "their writer took others first"}");
            _unresolved.Remove(block);
            _untold.Add(block);
            _queue.Release(block.Bytes);
        }

        return given;
    }

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

    private void TellIfFinal(BlockOutcome outcome, OutgoingBlock block)
    {
        if (outcome.IsFinal)
        {
            outcome.Tell(block, _end);
            IsTold(block);
        }
    }

    private void TellGivenUp(OutgoingBlock block)
    {
        var failure = block.LastFailure!;
        var told = block.FirstLost is null ? failure : new UnknownOutcomeException(_log, failure.Message, failure);
        block.Batches.ForEach(batch => batch.Refuse(told));
        IsTold(block);
    }

    private void IsTold(OutgoingBlock block)
    {
        lock (_gate)
        {
            _untold.Remove(block);
        }
    }
}
