using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Recovery;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage;

/// <summary>Writes a replica of several with the bytes of another one: as a follower of the primary, and once fenced to complete it
/// (docs/PROTOCOL.md). Blocking; calls from several threads take turns.</summary>
/// <remarks>
/// What must stay true: a replica is a prefix of one sequence, so only what begins exactly at its tail is taken; one write group is synced before
/// the next is written, or recovery could take a torn write for damage; nothing is said to be held before its sync.
/// </remarks>
public sealed class ReplicaWriter
{
    private readonly Segment _segment;
    private readonly FrameIntake _intake;
    private readonly uint _key;
    private readonly bool _syncsGroups;
    private long _hintSequence;

    /// <param name="segment">The replica.</param>
    /// <param name="from">Its tail.</param>
    /// <param name="syncsGroups">False for a copy that nobody counts on before it is whole.</param>
    internal ReplicaWriter(Segment segment, RecoveredTail from, bool syncsGroups)
    {
        _segment = segment;
        _syncsGroups = syncsGroups;
        _key = segment.Header.Identity.ChecksumKey;
        _hintSequence = from.HintSequence;
        segment.TakeIndex(from);
        _intake = new FrameIntake(segment.Path, from.Positions, from.Streams)
        {
            ContentHash = from.ContentHash,
            LastTimestamp = from.Tail.LastTimestamp,
            LastCheckpoint = from.LastCheckpoint,
            CoveredPositions = from.CoveredPositions,
            GroupStart = from.GroupStart,
        };
    }

    internal ulong ContentHash => _intake.ContentHash;

    /// <summary>Takes write groups of the primary's opening; answers what the replica holds then, synced. Groups that do not begin at its tail change
    /// nothing. The first opening that it hears of at its tail is the only one (synced).</summary>
    /// <param name="openingId">The primary's opening.</param>
    /// <param name="position">The position of the first event of the groups.</param>
    /// <param name="offset">The offset of their first byte.</param>
    /// <param name="groups">Whole write groups as the primary's file has them, the first perhaps without its beginning; none to say which opening it is, and to
    /// ask for the tail.</param>
    /// <exception cref="WriterFencedException">It is fenced or sealed, or follows another opening.</exception>
    /// <exception cref="BatchRefusedException">These are no such groups; nothing was written.</exception>
    /// <exception cref="SegmentPoisonedException">A write or sync failed, now or earlier in this process.</exception>
    public Tail Follow(Guid openingId, long position, long offset, ReadOnlyMemory<byte> groups) =>
        Take(openingId, position, offset, groups);

    /// <summary>Takes what a fenced replica lacks, from one that holds more; otherwise as <see cref="Follow"/>.</summary>
    /// <exception cref="WriterFencedException">It is not fenced, or is sealed.</exception>
    /// <exception cref="BatchRefusedException">These are no such groups; nothing was written.</exception>
    /// <exception cref="SegmentPoisonedException">A write or sync failed, now or earlier in this process.</exception>
    public Tail Complete(long position, long offset, ReadOnlyMemory<byte> groups) => Take(null, position, offset, groups);

    private Tail Take(Guid? openingId, long position, long offset, ReadOnlyMemory<byte> groups)
    {
        // The gate is taken for each group: a fence does not wait for all of them.
        for (var from = 0; ;)
        {
            lock (_segment.WriteGate)
            {
                RefuseUnless(openingId);
                var tail = _segment.Tail;
                if ((position, offset) != (tail.Position, tail.Offset))
                {
                    return tail;
                }

                if (from == 0)
                {
                    Verify(groups.Span, tail);
                }

                if (openingId is { } first && _segment.State == SegmentState.Prepared)
                {
                    _segment.RecordOpening(first, Durability.Durable);
                }

                if (from == groups.Length)
                {
                    return tail;
                }

                // Where nobody counts on a group before all are synced, they are written in one.
                var group = groups.Span[from..];
                tail = Write(_syncsGroups ? group[..LengthOfGroup(group)] : group, tail);
                from += (int)(tail.Offset - offset);
                (position, offset) = (tail.Position, tail.Offset);
            }
        }
    }

    private void RefuseUnless(Guid? openingId)
    {
        _segment.RefuseIfPoisoned();
        var isTaken = openingId is { } opening
            ? _segment.State <= SegmentState.Open && (_segment.OpeningId ?? opening) == opening
            : _segment.State == SegmentState.Fenced;
        if (!isTaken)
        {
            throw new WriterFencedException(_segment.Path);
        }
    }

    /// <summary>All of it before any of it is written.</summary>
    private void Verify(ReadOnlySpan<byte> groups, Tail tail)
    {
        if (groups.Length > _segment.Header.FileBytes - tail.Offset)
        {
            throw new BatchRefusedException($"{_segment.Path}: {groups.Length} bytes of write groups for offset {tail.Offset} of {_segment.Header.FileBytes}.");
        }

        var relative = (uint)(tail.Position - _segment.Header.BasePosition);

        // A crash may have left the first batches of a group: then the rest of it comes first.
        var (groupStart, inBatch, time) = (_intake.GroupStart, false, tail.LastTimestamp);
        for (var at = 0; at < groups.Length;)
        {
            var offset = tail.Offset + at;
            var status = Frame.TryRead(groups[at..], offset, _key, out var frame);
            var follows = status == FrameStatus.Whole
                && (frame.Kind == FrameKind.Event || (frame.Kind == FrameKind.Checkpoint && !inBatch))
                && frame.RelativePosition == relative
                && frame.Timestamp >= time
                && ((groupStart != 0 && frame.GroupStart == groupStart) || (frame.GroupStart == offset && !inBatch));
            if (!follows)
            {
                throw new BatchRefusedException($"{_segment.Path}: what was sent for offset {offset} is {(status == FrameStatus.Whole ? "not what follows" : status)}.");
            }

            groupStart = frame.GroupStart;
            (inBatch, time) = (frame.Kind == FrameKind.Event && (frame.Traits & FrameTraits.LastOfBatch) == 0, frame.Timestamp);
            relative += (uint)frame.Positions;
            at += frame.Bytes.Length;
        }

        if (inBatch)
        {
            throw new BatchRefusedException($"{_segment.Path}: what was sent for offset {tail.Offset} ends within a batch.");
        }
    }

    private static int LengthOfGroup(ReadOnlySpan<byte> groups)
    {
        var length = 0;
        do
        {
            length += FrameLayout.Padded(BinaryPrimitives.ReadInt32LittleEndian(groups[(length + FrameLayout.Length)..]));
        }
        while (length < groups.Length && BinaryPrimitives.ReadUInt32LittleEndian(groups[(length + FrameLayout.GroupDistance)..]) != 0);
        return length;
    }

    private Tail Write(ReadOnlySpan<byte> group, Tail tail)
    {
        try
        {
            var file = _segment.WritableFile;
            var checkpoint = _intake.LastCheckpoint;
            file.Write(tail.Offset, group);
            if (_syncsGroups)
            {
                file.Sync();
            }

            tail = Add(group, tail);
            _segment.Took(tail, _intake.ContentHash);
            if (_intake.LastCheckpoint != checkpoint && _syncsGroups)
            {
                // Not synced: a hint may be lost, but it never names a checkpoint that is not on disk.
                var hint = new CheckpointHint(++_hintSequence, _intake.LastCheckpoint).Encode(_key);
                file.Write(_hintSequence % 2 == 0 ? FileLayout.HintA : FileLayout.HintB, hint);
            }

            return tail;
        }
        catch (IOException e)
        {
            // What the file holds, or what this process knows of it, is not certain any more.
            _segment.Poison(e);
            throw e as SegmentPoisonedException ?? new SegmentPoisonedException(_segment.Path, e);
        }
    }

    private Tail Add(ReadOnlySpan<byte> group, Tail tail)
    {
        var position = tail.Position;
        for (var at = 0; at < group.Length;)
        {
            // Its checksum was looked at before anything was written.
            var bytes = FrameLayout.Padded(BinaryPrimitives.ReadInt32LittleEndian(group[(at + FrameLayout.Length)..]));
            var frame = new Frame(group.Slice(at, bytes), tail.Offset + at);
            if (!_intake.Follows(frame))
            {
                throw new SegmentDamagedException(_segment.Path, tail.Offset + at, "a frame that was verified a moment ago");
            }

            _intake.Take(frame);
            position += frame.Positions;
            at += bytes;
        }

        return new Tail(position, tail.Offset + group.Length, _intake.LastTimestamp);
    }
}
