using KawaOrleans.Format;
using KawaOrleans.Storage.Admission;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage;

/// <summary>The writer whose acknowledgement means: in the page cache. Frames go straight into the map; nothing is queued.</summary>
/// <remarks>
/// Invariants: all of a batch's bytes are in the map before the tail that covers them is published; a frame is written once.
/// What a dead process leaves is a prefix of its stores, so the first frame that does not verify is the end.
/// </remarks>
public sealed class MappedWriter : SegmentWriter, IBatchStage
{
    private readonly TailCursor _cursor;
    private readonly IWritableMap _map;
    private readonly PageSupply _pages;
    private readonly WriterClock _clock;
    private SpinGate _gate;
    private Func<StorageException>? _ended;
    private bool _full;

    internal MappedWriter(Segment segment, TailCursor cursor, IWritableMap map, TimeProvider time)
        : base(segment)
    {
        _cursor = cursor;
        _map = map;
        _clock = new WriterClock(time);
        _pages = new PageSupply(map, cursor.Offset);
    }

    /// <inheritdoc/>
    public override bool IsQuarterFull => Segment.Tail.Offset > Segment.Header.FileBytes / 4;

    internal override ulong ContentHash => _cursor.ContentHash;

    /// <inheritdoc/>
    public override ValueTask<AppendedBatch> AppendAsync(EventBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        try
        {
            return new ValueTask<AppendedBatch>(Append(batch));
        }
        catch (StorageException e)
        {
            return ValueTask.FromException<AppendedBatch>(e);
        }
    }

    /// <summary>Appends the batch, all or nothing, before it returns. Allocates nothing.</summary>
    /// <inheritdoc cref="SegmentWriter.AppendAsync(EventBatch)" path="/exception"/>
    public AppendedBatch Append(EventBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var appended = Append(batch.Bytes.Span);
        return new AppendedBatch(appended.First, appended.Count, appended.Timestamp);
    }

    /// <inheritdoc/>
    public override ValueTask<AppendedBlock> AppendAsync(
        EventBlock block, long? retrySince = null, IReadOnlyList<StreamExpectations?>? expected = null)
    {
        RefuseUnlessOneForEach(block, expected);
        _gate.Enter();
        try
        {
            MakeRoomFor(block.Bytes.Length);
            return new ValueTask<AppendedBlock>(BlockAppend.Run(this, block, memory: null, retrySince, expected, _clock.UtcTicks()));
        }
        catch (StorageException e)
        {
            return ValueTask.FromException<AppendedBlock>(e);
        }
        finally
        {
            _gate.Leave();
        }
    }

    /// <inheritdoc/>
    public override ValueTask FlushAsync() => new(Task.Run(() =>
    {
        lock (Segment.WriteGate)
        {
            if (_ended is null)
            {
                Sync();
            }
        }
    }));

    /// <inheritdoc/>
    public override bool HasRoomFor(int batchBytes) => !Volatile.Read(ref _full) && batchBytes <= Segment.Header.FileBytes - Segment.Tail.Offset;

    internal override void End(Func<StorageException> reason)
    {
        _gate.Enter();
        try
        {
            _ended ??= reason;
        }
        finally
        {
            _gate.Leave();
        }
    }

    internal override void Settle() => Sync();

    internal override void LeaveCheckpoint()
    {
        _gate.Enter();
        try
        {
            if (_cursor.HasUncovered)
            {
                StampCheckpoint();
            }
        }
        finally
        {
            _gate.Leave();
        }

        Sync();
    }

    internal override void CheckpointIfIdle(TimeSpan idle)
    {
        _gate.Enter();
        try
        {
            if (_ended is null && _cursor.HasUncovered && _clock.UtcTicks() - _cursor.LastTimestamp >= idle.Ticks)
            {
                StampCheckpoint();
            }
        }
        finally
        {
            _gate.Leave();
        }
    }

    internal override void Forget() => _cursor.Forget();

    TailCursor IBatchStage.Cursor => _cursor;

    Span<byte> IBatchStage.Room(int bytes) => _map.WritableSpan(_cursor.Offset, bytes);

    AppendedBatch IBatchStage.Stage(Span<byte> frames, long now)
    {
        var start = _cursor.Offset;
        var appended = _cursor.Stamp(frames, now, start);
        _map.Wrote(start, frames.Length);
        Segment.Publish(_cursor.Tail);
        _pages.Reached(_cursor.Offset);
        return appended;
    }

    void IBatchStage.Drop(Span<byte> frames)
    {
        // Behind the tail there are zeroes, or what a crash tore.
        frames.Clear();
        _map.Wrote(_cursor.Offset, frames.Length);
    }

    private AppendedBlock Append(ReadOnlySpan<byte> bytes)
    {
        _gate.Enter();
        try
        {
            MakeRoomFor(bytes.Length);
            return BlockAppend.Run(this, bytes, _clock.UtcTicks());
        }
        finally
        {
            _gate.Leave();
        }
    }

    private void MakeRoomFor(int bytes)
    {
        RefuseUnlessRoomFor(bytes);
        if (_cursor.IsCheckpointDue)
        {
            StampCheckpoint();
            RefuseUnlessRoomFor(bytes);
        }
    }

    private void RefuseUnlessRoomFor(int bytes)
    {
        if (_ended is not null)
        {
            throw _ended();
        }

        if (_full || bytes > _cursor.FreeBytes)
        {
            Volatile.Write(ref _full, true);
            throw new SegmentFullException(Segment.Path, bytes, _cursor.FreeBytes);
        }
    }

    private void StampCheckpoint()
    {
        if (_cursor.CheckpointRoom() is var room and > 0)
        {
            var start = _cursor.Offset;
            _map.Wrote(start, _cursor.StampCheckpoint(_map.WritableSpan(start, room)));
            var (slot, sector) = _cursor.NextHint();
            sector.CopyTo(_map.WritableSpan(slot, sector.Length));
            _map.Wrote(slot, sector.Length);
            Segment.Publish(_cursor.Tail);
        }
    }

    private void Sync()
    {
        try
        {
            Segment.WritableFile.Sync();
        }
        catch (IOException e)
        {
            Segment.Poison(e);
            End(() => new SegmentPoisonedException(Segment.Path, e));
            throw new SegmentPoisonedException(Segment.Path, e);
        }
    }
}
