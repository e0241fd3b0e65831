using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage;

/// <summary>The one write handle of a segment. Batches given concurrently share writes and syncs (group commit) and take
/// positions in the order given.</summary>
/// <remarks>
/// Invariants: one thread at a time runs the loop that writes groups (guarded by <c>_running</c>); the tail is touched only under the
/// segment's write gate, which is taken before this one's; a batch completes only after the sync that covers it; once a batch was refused for want of room every later one is, so that nobody's order is broken by a
/// smaller batch slipping in.
/// </remarks>
public sealed class SegmentWriter : IThreadPoolWorkItem
{
    private readonly Segment _segment;
    private readonly DurableTail _tail;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private List<PendingAppend> _queue = [];
    private List<PendingAppend> _taken = [];
    private bool _running;
    private bool _checkpointWanted;
    private bool _full;
    private Func<StorageException>? _ended;
    private long _freeBytes;
    private long _lastAppend;

    internal SegmentWriter(Segment segment, DurableTail tail, TimeProvider time)
    {
        _segment = segment;
        _tail = tail;
        _time = time;
        _freeBytes = tail.FreeBytes;
    }

    /// <summary>True once three quarters are used: time to prepare the next file.</summary>
    public bool IsThreeQuartersFull => Volatile.Read(ref _freeBytes) < _segment.Header.FileBytes / 4;

    internal Segment Segment => _segment;

    /// <summary>The running content hash; meaningful once no write is in flight.</summary>
    internal ulong ContentHash => _tail.Hash;

    /// <summary>Appends the batch, all or nothing; completes when it is on disk. The memory of the batch must not change before.</summary>
    /// <exception cref="SegmentFullException">No room; nothing written.</exception>
    /// <exception cref="WriterFencedException">Ended or another writer; nothing written.</exception>
    /// <exception cref="SegmentPoisonedException">A write or sync failed: the outcome is unknown until recovery.</exception>
    public ValueTask<AppendedBatch> AppendAsync(EventBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return new ValueTask<AppendedBatch>(Enqueue(batch));
    }

    /// <summary>Appends one event; see <see cref="AppendAsync(EventBatch)"/>.</summary>
    /// <exception cref="BatchRefusedException">A name or a size is out of bounds.</exception>
    public ValueTask<AppendedBatch> AppendAsync(EventData newEvent) => AppendAsync(EventBatch.Of(newEvent));

    /// <summary>Completes when everything appended before is on disk.</summary>
    public async ValueTask FlushAsync() => await Enqueue(batch: null).ConfigureAwait(false);

    /// <summary>True when a batch of this size still fits.</summary>
    public bool HasRoomFor(int batchBytes) => !Volatile.Read(ref _full) && batchBytes <= Volatile.Read(ref _freeBytes);

    /// <summary>Writes a checkpoint if events lie behind the last one and nobody has appended for so long.</summary>
    internal void CheckpointIfIdle(TimeSpan idle)
    {
        lock (_gate)
        {
            if (_running || _ended is not null || !_tail.HasUncovered || _time.GetElapsedTime(Volatile.Read(ref _lastAppend)) < idle)
            {
                return;
            }

            _checkpointWanted = true;
            _running = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Refuses everything not yet begun, with this reason. The caller holds the segment's write gate, so no write is in flight.</summary>
    internal void End(Func<StorageException> reason)
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

    /// <summary>After <see cref="End"/>: covers what was written with a checkpoint, so that the next opening reads little.
    /// A failure here loses nothing: recovery reads more. The caller holds the write gate.</summary>
    internal void LeaveCheckpoint()
    {
        try
        {
            if (_tail.HasUncovered)
            {
                _tail.StageCheckpoint();
            }

            if (_tail.HasStaged)
            {
                _segment.Publish(_tail.Commit(_segment.WritableFile).Tail, []);
            }
        }
        catch (IOException e)
        {
            _segment.Poison(e);
        }
    }

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
        lock (_segment.WriteGate)
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

    private Task<AppendedBatch> Enqueue(EventBatch? batch)
    {
        var pending = new PendingAppend(batch);
        lock (_gate)
        {
            if (_ended is not null)
            {
                pending.Fail(_ended());
                return pending.Task;
            }

            _queue.Add(pending);
            if (_running)
            {
                return pending.Task;
            }

            _running = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return pending.Task;
    }

    /// <summary>Writes as many of the taken batches as one group holds and answers how many are dealt with.</summary>
    private int WriteGroup(int begin)
    {
        var end = begin;
        Func<StorageException>? ended;
        lock (_segment.WriteGate)
        {
            if (_ended is null)
            {
                try
                {
                    end = StageGroup(begin);
                    if (_tail.HasStaged)
                    {
                        var (tail, offsets) = _tail.Commit(_segment.WritableFile);
                        _segment.Publish(tail, offsets);
                        _tail.ForgetGroup();
                        Volatile.Write(ref _freeBytes, _tail.FreeBytes);
                    }

                    Volatile.Write(ref _lastAppend, _time.GetTimestamp());
                }
                catch (Exception e)
                {
                    // Whatever it was, what the file holds is unknown now: this process writes it no more.
                    _segment.Poison(e);
                    End(() => new SegmentPoisonedException(_segment.Path, e));
                }
            }

            // Read under the gate: who ends this writer a moment later must not turn a group that is on disk into a refusal.
            ended = _ended;
        }

        if (ended is not null)
        {
            _checkpointWanted = false;
            for (var i = begin; i < _taken.Count; i++)
            {
                _taken[i].Fail(ended());
            }

            return _taken.Count;
        }

        for (var i = begin; i < end; i++)
        {
            _taken[i].Complete();
        }

        return end;
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
        _tail.StageCheckpointIfDue();
        var at = begin;
        for (; at < _taken.Count; at++)
        {
            var pending = _taken[at];
            if (pending.Batch is not { } batch)
            {
                continue;
            }

            if (_full || !_tail.Fits(batch.Bytes.Length))
            {
                Volatile.Write(ref _full, true);
                pending.Refuse(new SegmentFullException(_segment.Path, batch.Bytes.Length, _tail.FreeBytes));
                continue;
            }

            if (_tail.NeedsNextGroup(batch.Bytes.Length))
            {
                break;
            }

            pending.Place(_tail.Stage(batch, now));
        }

        return at;
    }
}
