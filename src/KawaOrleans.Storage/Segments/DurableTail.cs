using KawaOrleans.Format;
using KawaOrleans.Storage.Admission;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>Stages the frames of one write group, then puts them on disk with one positional write and one sync. Used by one
/// thread at a time.</summary>
internal sealed class DurableTail(TailCursor cursor, int maxGroupBytes) : IBatchStage
{
    private const int FirstStageBytes = 64 * 1024;

    private byte[] _stage = [];
    private long _groupStart = cursor.Offset;
    private bool _checkpointStaged;

    public TailCursor Cursor { get; } = cursor;

    public bool HasStaged => Cursor.Offset > _groupStart;

    private int Staged => (int)(Cursor.Offset - _groupStart);

    /// <summary>True when the group at hand has no more room for the batch, but the next one would.</summary>
    public bool NeedsNextGroup(int batchBytes) => HasStaged && Staged + batchBytes > maxGroupBytes;

    /// <summary>Makes room for a group of so many bytes at once: growing costs a copy, and every size passed through stays with the thread that gave it back.</summary>
    public void Expect(long groupBytes) => Grow((int)Math.Min(Staged + groupBytes, maxGroupBytes));

    /// <summary>Opens a group with a checkpoint, the frame that bounds recovery, if there is room for it.</summary>
    public void StageCheckpoint()
    {
        if (Cursor.CheckpointRoom() is var room and > 0)
        {
            Cursor.StampCheckpoint(Reserve(room));
            _checkpointStaged = true;
        }
    }

    /// <summary>Where the next batch of the group goes; the caller has asked whether it fits.</summary>
    public Span<byte> Room(int bytes) => Reserve(bytes);

    /// <summary>Adds the batch just numbered to the group.</summary>
    public AppendedBatch Stage(Span<byte> frames, long now) => Cursor.Stamp(frames, now, _groupStart);

    public void Drop(Span<byte> frames)
    {
        // Staging memory: the next batch overwrites it.
    }

    /// <summary>Puts the group on disk. After an exception this tail is not used again: what the file holds is unknown.</summary>
    public void Commit(IVolumeFile file)
    {
        file.Write(_groupStart, _stage.AsSpan(0, Staged));
        file.Sync();
        _groupStart = Cursor.Offset;
        if (_checkpointStaged)
        {
            // Not synced: a hint may be lost, but it never names a checkpoint that is not on disk.
            var (slot, sector) = Cursor.NextHint();
            file.Write(slot, sector);
            _checkpointStaged = false;
        }
    }

    /// <summary>Gives the staging memory back while nobody appends.</summary>
    public void Rest()
    {
        if (_stage.Length > 0)
        {
            PooledBytes.Return(_stage);
            _stage = [];
        }
    }

    private Span<byte> Reserve(int bytes)
    {
        var staged = Staged;
        Grow(staged + bytes);
        return _stage.AsSpan(staged, bytes);
    }

    private void Grow(int bytes)
    {
        if (_stage.Length < bytes)
        {
            var larger = PooledBytes.Rent(Math.Max(FirstStageBytes, Math.Max(bytes, Math.Min(2 * _stage.Length, maxGroupBytes))));
            _stage.AsSpan(0, Staged).CopyTo(larger);
            Rest();
            _stage = larger;
        }
    }
}
