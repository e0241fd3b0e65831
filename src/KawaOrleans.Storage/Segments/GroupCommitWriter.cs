using KawaOrleans.Format;
using KawaOrleans.Storage.Admission;

namespace KawaOrleans.Storage.Segments;

/// <summary>The durable writer: concurrent batches share one positional write and one sync.</summary>
/// <remarks>
/// Invariants: one thread at a time runs the loop that writes groups (guarded by <c>_running</c>); the tail is touched only under
/// the segment's write gate, which is taken before this one's; a batch completes only after the sync that covers it; once a batch was refused for want of room every later one is, so that nobody's order is broken by a
/// smaller batch slipping in.
/// </remarks>
internal sealed class GroupCommitWriter : SegmentWriter, IThreadPoolWorkItem
{
    private readonly DurableTail _tail;
    private readonly WriterMemory? _memory;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly PendingAppends _pending = new();
    private List<PendingAppend> _queue = [];
    private List<PendingAppend> _taken = [];
    private bool _running;
    private bool _checkpointWanted;
    private bool _full;
    private Func<StorageException>? _ended;
    private long _freeBytes;
    private long _lastAppend;

    public GroupCommitWriter(Segment segment, DurableTail tail, WriterMemory? memory, TimeProvider time)
        : base(segment)
    {
        _tail = tail;
        _memory = memory;
        _time = time;
        _freeBytes = tail.Cursor.FreeBytes;
    }

    public override bool IsQuarterFull => Volatile.Read(ref _freeBytes) < Segment.Header.FileBytes / 4 * 3;

    internal override ulong ContentHash => _tail.Cursor.ContentHash;

    public override ValueTask<AppendedBatch> AppendAsync(EventBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return _memory is null
            ? Append(batch.Bytes)
            : throw new InvalidOperationException($"{Segment.Path}: a writer that remembers recent events takes blocks, not single batches.");
    }

    public override ValueTask<AppendedBlock> AppendAsync(
        EventBlock block, long? retrySince = null, IReadOnlyList<StreamExpectations?>? expected = null)
    {
        RefuseUnlessOneForEach(block, expected);
        var pending = _pending.Take(block.Bytes, block, retrySince, expected);

        // Taken before anyone can complete it.
        var outcome = pending.BlockOutcome;
        Enqueue(pending);
        return outcome;
    }

    public override async ValueTask FlushAsync() => await Append(default).ConfigureAwait(false);

    public override bool HasRoomFor(int batchBytes) => !Volatile.Read(ref _full) && batchBytes <= Volatile.Read(ref _freeBytes);

    internal override void CheckpointIfIdle(TimeSpan idle)
    {
        lock (_gate)
        {
            if (_running || _ended is not null || !_tail.Cursor.HasUncovered || _time.GetElapsedTime(Volatile.Read(ref _lastAppend)) < idle)
            {
                return;
            }

            _checkpointWanted = true;
            _running = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    internal override void End(Func<StorageException> reason)
    {
        List<PendingAppend> refused;
        lock (_gate)
        {
            _ended ??= reason;
            refused = _queue;
            _queue = [];
        }

        refused.ForEach(pending => pending.Fail(reason()));
    }

    internal override void Settle()
    {
        // Every group was synced before it was published.
    }

    internal override void LeaveCheckpoint()
    {
        try
        {
            if (_tail.Cursor.HasUncovered)
            {
                _tail.StageCheckpoint();
            }

            if (_tail.HasStaged)
            {
                _tail.Commit(Segment.WritableFile);
                Segment.Publish(_tail.Cursor.Tail);
            }
        }
        catch (IOException e)
        {
            Segment.Poison(e);
        }
    }

    internal override void Forget() => _tail.Cursor.Forget();

    void IThreadPoolWorkItem.Execute()
    {
        while (TryTake())
        {
            for (var done = 0; done < _taken.Count || _checkpointWanted;)
            {
                done = WriteGroup(done);
            }

            _taken.Clear();
        }
    }

    /// <summary>Takes what was given since; false: nothing was, and this loop has ended.</summary>
    private bool TryTake()
    {
        // The write gate too, and first, as everywhere: the tail belongs to its holder, and Dispose may be writing a checkpoint.
        lock (Segment.WriteGate)
        {
            lock (_gate)
            {
                (_queue, _taken) = (_taken, _queue);
                if (_taken.Count > 0 || _checkpointWanted)
                {
                    return true;
                }

                _tail.Rest();
                _running = false;
                return false;
            }
        }
    }

    private ValueTask<AppendedBatch> Append(ReadOnlyMemory<byte> bytes)
    {
        var pending = _pending.Take(bytes, block: null, retrySince: null, expected: null);

        // Taken before anyone can complete it.
        var outcome = pending.Outcome;
        Enqueue(pending);
        return outcome;
    }

    private void Enqueue(PendingAppend pending)
    {
        lock (_gate)
        {
            if (_ended is not null)
            {
                pending.Fail(_ended());
                return;
            }

            _queue.Add(pending);
            if (_running)
            {
                return;
            }

            _running = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Writes as many of the taken batches as one group holds and answers how many are dealt with.</summary>
    private int WriteGroup(int begin)
    {
        var end = begin;
        Func<StorageException>? refused;
        lock (Segment.WriteGate)
        {
            refused = _ended;
            if (refused is null)
            {
                try
                {
                    end = StageGroup(begin);
                    if (_tail.HasStaged)
                    {
                        _tail.Commit(Segment.WritableFile);
                        Segment.Publish(_tail.Cursor.Tail);
                        Volatile.Write(ref _freeBytes, _tail.Cursor.FreeBytes);
                    }

                    Volatile.Write(ref _lastAppend, _time.GetTimestamp());
                }
                catch (Exception e)
                {
                    refused = Poison(e);
                }
            }
        }

        // What was decided under the gate counts: a fence that comes now finds this group on disk, so it is acknowledged.
        if (refused is not null)
        {
            _checkpointWanted = false;
            for (var i = begin; i < _taken.Count; i++)
            {
                _taken[i].Fail(refused());
            }

            return _taken.Count;
        }

        for (var i = begin; i < end; i++)
        {
            _taken[i].Complete();
        }

        return end;
    }

    /// <summary>Whatever went wrong, what the file holds is unknown now: this process writes it no more.</summary>
    /// <remarks>Apart from the loop, which would make what this captures for every group.</remarks>
    private Func<StorageException> Poison(Exception cause)
    {
        StorageException Refusal() => new SegmentPoisonedException(Segment.Path, cause);
        Segment.Poison(cause);
        End(Refusal);
        return Refusal;
    }

    private int StageGroup(int begin)
    {
        if (_checkpointWanted)
        {
            _checkpointWanted = false;
            _tail.StageCheckpoint();
            return begin;
        }

        var now = _time.GetUtcNow().UtcTicks;
        if (_tail.Cursor.IsCheckpointDue)
        {
            _tail.StageCheckpoint();
        }

        var at = begin;
        var bytes = 0L;
        for (var i = begin; i < _taken.Count; i++)
        {
            bytes += _taken[i].Bytes.Length;
        }

        _tail.Expect(bytes);
        for (; at < _taken.Count; at++)
        {
            var pending = _taken[at];
            if (pending.Bytes.IsEmpty)
            {
                continue;
            }

            if (_full || pending.Bytes.Length > _tail.Cursor.FreeBytes)
            {
                Volatile.Write(ref _full, true);
                pending.Refuse(new SegmentFullException(Segment.Path, pending.Bytes.Length, _tail.Cursor.FreeBytes));
                continue;
            }

            if (_tail.NeedsNextGroup(pending.Bytes.Length))
            {
                break;
            }

            try
            {
                pending.Place(pending.Block is { } block
                    ? BlockAppend.Run(_tail, block, _memory, pending.RetrySince, pending.Expected, now)
                    : BlockAppend.Run(_tail, pending.Bytes.Span, now));
            }
            catch (StorageException e)
            {
                // A look-up met damage. What was staged before it is whole, and the other calls do not suffer for it.
                pending.Refuse(e);
            }
        }

        return at;
    }
}
