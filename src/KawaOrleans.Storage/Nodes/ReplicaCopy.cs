using KawaOrleans.Format;
using KawaOrleans.Storage.Recovery;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage;

/// <summary>A replica on its way from another node, beside the replicas of this one: nothing reads it, counts on it or asks it anything before
/// <see cref="NodeStore.Install"/>. What it holds is verified frame by frame; after a crash it goes on from there.</summary>
public sealed class ReplicaCopy : IDisposable
{
    private const long DrainBytes = 256 * 1024;
    private const long SyncBytes = 16L * 1024 * 1024;

    private readonly Segment _segment;
    private readonly ReplicaWriter? _writer;

    /// <summary>What lies below this offset the page cache may show as clean although the disk never took it.</summary>
    private readonly long _resumedAt;
    private long _unsynced;

    /// <param name="segment">The copy's file.</param>
    /// <param name="isResumed">An earlier process, or one whose sync failed, wrote what is there.</param>
    internal ReplicaCopy(Segment segment, bool isResumed)
    {
        _segment = segment;
        _resumedAt = isResumed ? segment.Tail.Offset : 0;
        _writer = segment.State == SegmentState.Sealed ? null : segment.OpenReplica(syncsGroups: false);
    }

    /// <summary>How far it is.</summary>
    public Tail Tail => _segment.Tail;

    internal SegmentHeader Header => _segment.Header;

    internal string Path => _segment.Path;

    /// <summary>Adds write groups of another replica, if they begin where this one ends; answers how far it is then.</summary>
    /// <exception cref="BatchRefusedException">These are no such groups; nothing was written.</exception>
    /// <exception cref="SegmentPoisonedException">A write or sync failed.</exception>
    public Tail Take(Tail from, ReadOnlyMemory<byte> groups)
    {
        if (_writer is null)
        {
            return Tail;
        }

        var tail = _writer.Complete(from.Position, from.Offset, groups);

        // Bit by bit: a sync of what is appended elsewhere waits behind all that the disk was given before it.
        for (var offset = from.Offset; offset < tail.Offset; offset += DrainBytes)
        {
            _segment.WritableFile.Drain(offset, Math.Min(DrainBytes, tail.Offset - offset));
        }

        _unsynced += groups.Length;
        if (_unsynced >= SyncBytes)
        {
            Sync();
        }

        return tail;
    }

    /// <summary>Ends the copy where the chain says, all of it synced before that is. Repeatable.</summary>
    /// <exception cref="InvalidOperationException">It does not reach there yet.</exception>
    /// <exception cref="SegmentPoisonedException">A write or sync failed.</exception>
    public void Seal(long end)
    {
        if (_segment.State != SegmentState.Sealed)
        {
            if (_resumedAt > 0)
            {
                DurableRewrite.AllFrames(_segment.WritableFile, Header, _resumedAt);
            }

            Sync();
        }

        _segment.Seal(end);
    }

    /// <summary>Closes it; what it holds is kept for the next try.</summary>
    public void Dispose() => _segment.Dispose();

    private void Sync()
    {
        try
        {
            _segment.WritableFile.Sync();
            _unsynced = 0;
        }
        catch (IOException e)
        {
            _segment.Poison(e);
            throw new SegmentPoisonedException(Path, e);
        }
    }
}
