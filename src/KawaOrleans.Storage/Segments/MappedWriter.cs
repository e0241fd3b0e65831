using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage;

/// <summary>The writer whose acknowledgement means: in the page cache. Frames go straight into the map; nothing is queued.</summary>
/// <remarks>
/// Invariants: all of a batch's bytes are in the map before the tail that covers them is published; a frame is written once.
/// What a dead process leaves is a prefix of its stores, so the first frame that does not verify is the end.
/// </remarks>
public sealed class MappedWriter : SegmentWriter
{
    private readonly TailCursor _cursor;
    private readonly IWritableMap _map;
    private readonly PageSupply _pages;
    private readonly WriterClock _clock;
    private readonly Lock _gate = new();
    private Func<StorageException>? _ended;
    private bool _full;

    internal MappedWriter(Segment segment, TailCursor cursor, IWritableMap map, TimeProvider time)
        : base(segment)
    {
        _cursor = cursor;
        _map = map;
        _clock = new WriterClock(time);
        _pages = new PageSupply(map, segment.WritableFile, cursor.Offset);
    }

    /// <inheritdoc/>
    public override bool IsThreeQuartersFull => Segment.Header.FileBytes - Segment.Tail.Offset < Segment.Header.FileBytes / 4;

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

    /// <inheritdoc/>
    public override ValueTask<ExpectedAppend> AppendAsync(EventBatch batch, StreamExpectations expected)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(expected);
        try
        {
            lock (_gate)
            {
                var appended = Append(batch.Bytes.Span, expected, out var conflict);
                return new ValueTask<ExpectedAppend>(conflict is null
                    ? new ExpectedAppend(appended, _cursor.Revisions.ToArray(), null)
                    : new ExpectedAppend(default, [], conflict));
            }
        }
        catch (StorageException e)
        {
            return ValueTask.FromException<ExpectedAppend>(e);
        }
    }

    /// <summary>Appends the batch, all or nothing, before it returns. Allocates nothing.</summary>
    /// <inheritdoc cref="SegmentWriter.AppendAsync(EventBatch)" path="/exception"/>
    public AppendedBatch Append(EventBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        lock (_gate)
        {
            return Append(batch.Bytes.Span, StreamExpectations.None, out _);
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
        lock (_gate)
        {
            _ended ??= reason;
        }
    }

    internal override void Settle() => Sync();

    internal override void LeaveCheckpoint()
    {
        lock (_gate)
        {
            if (_cursor.HasUncovered)
            {
                StampCheckpoint();
            }
        }

        Sync();
    }

    internal override void CheckpointIfIdle(TimeSpan idle)
    {
        lock (_gate)
        {
            if (_ended is null && _cursor.HasUncovered && _clock.UtcTicks() - _cursor.LastTimestamp >= idle.Ticks)
            {
                StampCheckpoint();
            }
        }
    }

    /// <summary>The caller holds the gate.</summary>
    private AppendedBatch Append(ReadOnlySpan<byte> bytes, StreamExpectations expected, out StreamConflict? conflict)
    {
        RefuseUnlessRoomFor(bytes.Length);
        if (_cursor.IsCheckpointDue)
        {
            StampCheckpoint();
            RefuseUnlessRoomFor(bytes.Length);
        }

        conflict = _cursor.Number(bytes, expected);
        if (conflict is not null)
        {
            return default;
        }

        var start = _cursor.Offset;
        var frames = _map.WritableSpan(start, bytes.Length);
        bytes.CopyTo(frames);
        var appended = _cursor.Stamp(frames, _clock.UtcTicks(), start);
        _map.Wrote(start, bytes.Length);
        Segment.Publish(_cursor.Tail);
        _pages.Reached(_cursor.Offset);
        return appended;
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
