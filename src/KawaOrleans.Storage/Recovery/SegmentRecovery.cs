using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Recovery;

/// <summary>Finds the tail of a file that is not sealed (docs/FORMAT.md, "Recovery"), and tells a torn tail from damage.</summary>
/// <remarks>
/// Rests on one invariant of the writer: no frame of group k+1 is written before the sync of group k returned. So a whole
/// frame whose group begins behind a bad place proves that the bad place was once on disk.
/// The distinction follows "Protocol-Aware Recovery for Consensus-Based Storage" (FAST '18), section 3.3.
/// </remarks>
internal sealed class SegmentRecovery
{
    private readonly IVolumeFile _file;
    private readonly SegmentHeader _header;
    private readonly uint _key;
    private readonly FrameReader _reader;
    private readonly DensePositions _positions = new();
    private int _covered;
    private ulong _hash = ContentHash.Empty;
    private long _lastTimestamp;
    private long _lastCheckpoint;
    private long _hintSequence;

    private SegmentRecovery(IVolumeFile file, SegmentHeader header)
    {
        _file = file;
        _header = header;
        _key = header.Identity.ChecksumKey;
        _reader = new FrameReader(file, _key, header.FileBytes);
        _lastTimestamp = header.TimestampFloor;
    }

    /// <summary>Reads only. The result is safe to show to readers of a read-only file; a writer first runs <see cref="DurableRewrite"/>.</summary>
    /// <param name="file">The file.</param>
    /// <param name="header">Its header.</param>
    /// <param name="mapped">For a mapped segment checkpoints prove nothing, since no sync came before them: everything is read,
    /// and nothing is known to be on disk.</param>
    /// <param name="powerWasLost">For a mapped segment after a power loss: pages are missing in no order, so the first frame that
    /// fails is the end.</param>
    /// <exception cref="SegmentDamagedException">Something that was on disk is not whole.</exception>
    /// <exception cref="SegmentUnreadableException">The medium failed.</exception>
    public static RecoveredTail Find(IVolumeFile file, SegmentHeader header, bool mapped, bool powerWasLost) =>
        new SegmentRecovery(file, header).Find(mapped, powerWasLost);

    private RecoveredTail Find(bool mapped, bool powerWasLost)
    {
        var start = mapped ? FileLayout.FirstFrame : LoadCheckpoints();
        var offset = start;
        var tail = start;

        // The checkpoint that the hint named opened a group, and events of that group may follow it.
        var groupStart = _lastCheckpoint;
        var pending = new List<(long Offset, uint Checksum, long Timestamp)>();
        FrameStatus status;
        while ((status = _reader.TryRead(offset, out var frame)) == FrameStatus.Whole)
        {
            if (!Follows(frame, groupStart, pending.Count))
            {
                if (powerWasLost)
                {
                    break;
                }

                throw new SegmentDamagedException(_file.Path, offset, "a whole frame does not follow the one before it");
            }

            groupStart = frame.GroupStart;
            offset = frame.End;
            if (frame.Kind == FrameKind.Event)
            {
                pending.Add((frame.Offset, frame.StoredChecksum, frame.Timestamp));
                if ((frame.Traits & FrameTraits.LastOfBatch) == 0)
                {
                    continue;
                }

                pending.ForEach(Take);
                pending.Clear();
                tail = frame.End;
            }
            else if (frame.Kind == FrameKind.Checkpoint)
            {
                TakeCheckpoint(frame);

                // What it covers was synced before it was written; that it was synced itself, only a hint could say.
                start = mapped ? start : frame.Offset;
                tail = frame.End;
            }
        }

        if (status == FrameStatus.Unknown)
        {
            throw new NotASegmentException(_file.Path, $"the frame at offset {offset} is of a kind or has flags that this program does not know. Use the program that wrote it.");
        }

        if (!powerWasLost)
        {
            LaterGroup.Refuse(_file.Path, _reader, _header.FileBytes, offset);
        }

        return new RecoveredTail
        {
            Tail = new Tail(_header.BasePosition + _positions.Count, tail, _lastTimestamp),
            Positions = _positions,
            ContentHash = _hash,
            LastCheckpoint = _lastCheckpoint,
            UncoveredFrom = start,
            CoveredPositions = _covered,
            HintSequence = _hintSequence,
            PowerWasLost = powerWasLost,
            TornBytes = TornBytes(tail),
        };
    }

    /// <summary>Follows the checkpoints back from the newest hint and answers where frames begin that none covers.</summary>
    private long LoadCheckpoints()
    {
        if (NewestHint() is not { } hint)
        {
            return FileLayout.FirstFrame;
        }

        _hintSequence = hint.Sequence;
        var chain = new Stack<(Checkpoint Checkpoint, long End)>();
        for (var offset = hint.Offset; offset != 0; offset = chain.Peek().Checkpoint.Previous)
        {
            if (offset < FileLayout.FirstFrame
                || offset > _header.FileBytes - FrameLayout.HeaderBytes
                || _reader.TryRead(offset, out var frame) != FrameStatus.Whole
                || frame.Kind != FrameKind.Checkpoint
                || Checkpoint.Read(frame) is not { } checkpoint)
            {
                throw new SegmentDamagedException(_file.Path, offset, "a checkpoint that was on disk is not whole");
            }

            chain.Push((checkpoint, frame.End));
        }

        var at = FileLayout.FirstFrame;
        foreach (var (checkpoint, end) in chain)
        {
            foreach (var length in checkpoint.FrameLengths)
            {
                _positions.Add(at);
                at += length;
            }

            if (at != checkpoint.CoveredOffset)
            {
                throw new SegmentDamagedException(_file.Path, checkpoint.CoveredOffset, "a checkpoint does not add up to its place");
            }

            at = end;
            _hash = checkpoint.ContentHash;
            _lastTimestamp = checkpoint.LastTimestamp;
            _lastCheckpoint = checkpoint.CoveredOffset;
        }

        _covered = _positions.Count;
        return at;
    }

    private CheckpointHint? NewestHint()
    {
        CheckpointHint? newest = null;
        foreach (var slot in (ReadOnlySpan<long>)[FileLayout.HintA, FileLayout.HintB])
        {
            var sector = _reader.Bytes(slot, FileLayout.SectorBytes)[..FileLayout.SectorBytes];
            if (CheckpointHint.TryDecode(sector, _key, out var hint) && !(hint.Sequence < newest?.Sequence))
            {
                newest = hint;
            }
        }

        return newest;
    }

    private bool Follows(Frame frame, long groupStart, int pendingEvents) =>
        (frame.Kind == FrameKind.Event || pendingEvents == 0)
        && frame.Kind is not (FrameKind.Gap or FrameKind.Footer)
        && frame.RelativePosition == (uint)(_positions.Count + pendingEvents)
        && frame.Timestamp >= _lastTimestamp
        && (frame.GroupStart == frame.Offset || (groupStart != 0 && frame.GroupStart == groupStart));

    private void Take((long Offset, uint Checksum, long Timestamp) frame)
    {
        _positions.Add(frame.Offset);
        _hash = ContentHash.Add(_hash, frame.Checksum);
        _lastTimestamp = frame.Timestamp;
    }

    private void TakeCheckpoint(Frame frame)
    {
        if (Checkpoint.Read(frame) is not { } checkpoint
            || checkpoint.Previous != _lastCheckpoint
            || checkpoint.ContentHash != _hash
            || checkpoint.FrameLengths.Count != _positions.Count - _covered)
        {
            throw new SegmentDamagedException(_file.Path, frame.Offset, "a checkpoint contradicts the frames before it");
        }

        _lastCheckpoint = frame.Offset;
        _covered = _positions.Count;
    }

    /// <summary>How far behind the tail something other than zeroes lies, within one write group.</summary>
    private long TornBytes(long tail)
    {
        var torn = 0L;
        var end = Math.Min(tail + FileLayout.MaxGroupBytes(_header.FileBytes), _header.FileBytes);
        for (var offset = tail; offset < end;)
        {
            var bytes = _reader.Bytes(offset, 1);
            bytes = bytes[..(int)Math.Min(bytes.Length, end - offset)];
            var last = bytes.LastIndexOfAnyExcept((byte)0);
            torn = last < 0 ? torn : offset + last + 1 - tail;
            offset += bytes.Length;
        }

        return torn;
    }
}
