using System.Diagnostics.CodeAnalysis;

namespace KawaOrleans.Client;

/// <summary>One line of batches on their way to a log: gathers them into blocks, keeps few blocks on their way, and brings them to
/// the log in order, whatever is lost, refused or repeated on the way.</summary>
/// <remarks>
/// <para>A batch waits in <c>_queue</c>; then, in a block, it is unresolved; then it is untold, until its caller has the outcome; then it is
/// gone. <c>_unresolved</c> is in order: the <c>_next</c> blocks at its beginning have a number of the run at hand and are on their way, or
/// came back without outcome.</para>
/// <code>
/// no target: the oldest block travels alone, as number 0 of a new run
///    its writer answers ─► target known: up to MaxBlocksInFlight blocks, numbered 1, 2, … in order
/// any block comes back without outcome (silence, SegmentEnded, OutOfSequence, Busy, refused on the way) ─► halted: nothing is sent
///    those still on their way: silence to one ends the wait for all; an answer counts as ever, a number behind the lost one gets OutOfSequence
///    the last of them is back ─► blocks without time left are given up; a pause ─► no target, and so on from the oldest that is left
/// </code>
/// <para>What must stay true. Calls are made in the order of their numbers: one thread at a time hands blocks over (<c>_pumping</c>). A run
/// begins where everything before has its outcome, with no call of an older run waited for, and no block is skipped in it: so a block is
/// written behind all those before it, or not at all; and what was given up is not written behind one that came after it, as long as its writer
/// remembers the line. A block is sent again only after a halt. A halt without a pause follows a roll, of which
/// there are at most <see cref="MostSegmentsTried"/> in a row, a split, or an answer to the block before: nothing is sent without end. Everybody
/// who waits travels in the next block: what comes while the callers of a block are being told (<c>_telling</c>) is taken behind them, by
/// work queued after theirs, which always comes to run.</para>
/// </remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "The source of a run's end is linked to none and has no timer: it holds nothing to dispose.")]
internal sealed partial class AppendLine : IThreadPoolWorkItem
{
    private readonly Guid _name = Guid.NewGuid();
    private readonly string _log;
    private readonly WriteTargets _targets;
    private readonly KnownEnd _end;
    private readonly Retries _alone;
    private readonly Retries _amongOthers;
    private readonly TimeProvider _time;
    private readonly ProducerOptions _options;
    private readonly Lock _gate = new();
    private readonly BatchQueue _queue;
    private readonly List<OutgoingBlock> _unresolved = [];
    private readonly List<OutgoingBlock> _untold = [];
    private readonly Retries.Backoff _backoff;
    private Retries _retries;
    private int _next;
    private int _inFlight;
    private bool _pumping;
    private bool _halted;
    private bool _pausing;
    private TimeSpan _pause;

    // Since when the log gave none of this line's blocks an answer; 0 while it does. Written under the gate.
    private long _unansweredSince;
    private WriteTarget? _target;
    private Guid? _after;
    private int _segmentsEnded;
    private long _run;
    private CancellationTokenSource _runEnds = new();
    private long _sequence;
    private bool _hadCompany;
    private int _telling;
    private ITimer? _lingering;
    private bool _lingers;
    private bool _lingerIsOver;
    private int _flushing;
    private bool _closed;

    public AppendLine(string log, WriteTargets targets, KnownEnd end, Retries retries, TimeProvider time, ProducerOptions options)
    {
        _log = log;
        _targets = targets;
        _end = end;
        _retries = _alone = retries;
        _amongOthers = retries.ForReplicas();
        _time = time;
        _options = options;
        _backoff = retries.NewBackoff();
        _queue = new BatchQueue(options.MaxBlockBytes, options.MaxPendingBytes);
    }

    /// <summary>Adds a batch behind all others.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="asksForRoom">True to be told by <see cref="PendingBatch.Taken"/>, which is null if there is room at once.</param>
    /// <param name="expected">What it expects of streams; null: nothing.</param>
    /// <exception cref="ObjectDisposedException">The line was closed.</exception>
    public PendingBatch Add(EventBatch batch, bool asksForRoom, StreamExpectations? expected = null)
    {
        PendingBatch pending;
        OutgoingBlock? block = null;
        WriteTarget? target;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(IEventProducer));

            // A lone caller is answered on the thread that brings the answer; one of several in a block would keep the others waiting.
            var isLone = !_pumping && !_halted && !_hadCompany && _telling == 0 && _unresolved.Count == 0 && _queue.IsEmpty && _options.Linger == TimeSpan.Zero;
            pending = new PendingBatch(batch, isLone)
            {
                Given = _unansweredSince == 0 ? 0 : _time.GetTimestamp(),
                Expected = expected,
            };
            if (!_queue.Add(pending))
            {
                pending.Taken = asksForRoom ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) : null;
                return pending;
            }

            target = _target;
            if (isLone)
            {
                block = NextToSend();
                _pumping = block is not null;
            }
        }

        if (block is not null)
        {
            _ = TryAsync(block, target);
            PumpOn();
        }
        else
        {
            Pump();
        }

        return pending;
    }

    /// <summary>Sends what waits for company; completes once every batch inside has its outcome.</summary>
    public async Task FlushAsync(CancellationToken cancellation)
    {
        Task all;
        lock (_gate)
        {
            _flushing++;
            all = Task.WhenAll(_untold.Concat(_unresolved).SelectMany(static block => block.Batches).Concat(_queue.Waiting).Select(static batch => batch.Task));
        }

        Pump();
        await all.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            _flushing--;
        }

        if (!all.IsCompleted)
        {
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Takes no more; completes once every batch taken has its outcome.</summary>
    public async Task CloseAsync()
    {
        lock (_gate)
        {
            _closed = true;
            _queue.Close(new ObjectDisposedException(nameof(IEventProducer)));
        }

        await FlushAsync(CancellationToken.None).ConfigureAwait(false);
        _lingering?.Dispose();
    }

    /// <summary>Behind the callers of a block, who were told: what they gave since travels together.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        lock (_gate)
        {
            _telling--;
            Prune();
        }

        Pump();
    }

    private void Pump()
    {
        lock (_gate)
        {
            if (_pumping)
            {
                return; // whoever pumps looks again before it stops
            }

            _pumping = true;
        }

        PumpOn();
    }

    private void PumpOn()
    {
        while (true)
        {
            OutgoingBlock? block;
            WriteTarget? target;
            lock (_gate)
            {
                block = NextToSend();
                target = _target;
                _pumping = block is not null;
            }

            if (block is null)
            {
                return;
            }

            _ = TryAsync(block, target);
        }
    }

    private OutgoingBlock? NextToSend()
    {
        if (_halted || _inFlight >= (_target is null ? 1 : _options.MaxBlocksInFlight))
        {
            return null;
        }

        if (_next == _unresolved.Count)
        {
            if (_queue.IsEmpty || (_telling > 0 && !_queue.FillsBlock) || Lingers() || _queue.TakeBlock() is not { } batches)
            {
                return null;
            }

            _hadCompany = batches.Count > 1;
            _unresolved.Add(new OutgoingBlock(batches));
        }

        if (_target is null)
        {
            (_run, _sequence) = (_run + 1, 0);
            _runEnds = _runEnds.IsCancellationRequested ? new CancellationTokenSource() : _runEnds;
        }

        var block = _unresolved[_next++];
        _inFlight++;
        block.Order = new BlockOrder(_name, _run, _sequence++);
        block.RunEnds = _runEnds.Token;
        return block;
    }

    /// <summary>True while what waits may wait longer for company.</summary>
    private bool Lingers()
    {
        if (_options.Linger == TimeSpan.Zero || _lingerIsOver || _flushing > 0 || _queue.FillsBlock)
        {
            (_lingers, _lingerIsOver) = (false, false);
            return false;
        }

        if (!_lingers)
        {
            _lingers = true;
            _lingering ??= _time.CreateTimer(static state => ((AppendLine)state!).LingerIsOver(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _lingering.Change(_options.Linger, Timeout.InfiniteTimeSpan);
        }

        return true;
    }

    private void LingerIsOver()
    {
        lock (_gate)
        {
            _lingerIsOver = true;
        }

        Pump();
    }

    /// <summary>One attempt. Never fails: what came of it is settled.</summary>
    private async Task TryAsync(OutgoingBlock block, WriteTarget? target)
    {
        AppendResult? result = null;
        Exception? failure = null;
        try
        {
            target ??= await _targets.FindAsync(_after, block.Bytes, PatienceFor(block)).ConfigureAwait(false);
            _retries = target.HasOthers ? _amongOthers : _alone;
            if (RefuseTooLarge(block, target))
            {
                block.KnownEnd ??= _end.Position;
                result = await target.AppendAsync(block.Request(), PatienceFor(block) ?? TimeSpan.MaxValue, block.RunEnds).ConfigureAwait(false);
                if (result is SegmentEnded { Chain: { } chain } && chain.LogId == target.LogId)
                {
                    _targets.Learn(chain);
                }
            }
        }
        catch (Exception e)
        {
            failure = e; // whatever it is, the callers are told
        }

        Settle(block, target, result, failure);
    }

    /// <summary>How much silence another call for this block bears; null: the client's own patience.</summary>
    private TimeSpan? PatienceFor(OutgoingBlock block) =>
        Volatile.Read(ref _unansweredSince) is var since and not 0 ? _retries.PatienceSince(Math.Max(since, block.Given)) : null;

    /// <summary>Refuses the batches with events the log does not take, before anything is sent; false when none is left.</summary>
    private bool RefuseTooLarge(OutgoingBlock block, WriteTarget target)
    {
        foreach (var batch in block.Batches)
        {
            if (batch.Batch.LargestEventBytes > target.MaxEventBytes)
            {
                batch.Refuse(new RequestRefusedException(
                    $"Log '{_log}' takes events of at most {target.MaxEventBytes} bytes as stored, half its segment size; one of these takes {batch.Batch.LargestEventBytes}."));
                block.Batches = block.Batches.FindAll(batch => batch.Batch.LargestEventBytes <= target.MaxEventBytes);
            }
        }

        return block.Batches.Count > 0;
    }
}
