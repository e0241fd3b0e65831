using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Recovery;

/// <summary>Finds the tail of a file that is not sealed (docs/FORMAT.md, "Recovery"), and tells a torn tail from damage; in two steps,
/// so that what is known to be on disk can be read before the rest is looked at.</summary>
/// <remarks>
/// The first step rests on what a hint proves: it is written after the sync of the checkpoint it names returned, and all before that
/// checkpoint was synced earlier. So nothing of <see cref="Covered"/> can vanish, whatever the page cache holds. A mapped segment's
/// checkpoints come after no sync: of it nothing is covered.
/// Rests on one invariant of the writer: no frame of group k+1 is written before the sync of group k returned. So a whole
/// frame whose group begins behind a bad place proves that the bad place was once on disk.
/// The distinction follows "Protocol-Aware Recovery for Consensus-Based Storage" (FAST '18), section 3.3.
/// </remarks>
internal sealed class SegmentRecovery
{
    /// <summary>Holds the checkpoint of an interval of events of 188 bytes; larger ones take a second read.</summary>
    private const int CheckpointStepBytes = 32 * 1024;

    private readonly IVolumeFile _file;
    private readonly SegmentHeader _header;
    private readonly uint _key;
    private readonly bool _mapped;
    private readonly bool _powerWasLost;
    private readonly CoveredSection[] _sections;
    private readonly OpenStreams _streams;
    private ulong _hash = ContentHash.Empty;
    private long _lastTimestamp;
    private long _lastCheckpoint;
    private long _coveredEnd = FileLayout.FirstFrame;
    private long _hintSequence;

    private SegmentRecovery(IVolumeFile file, SegmentHeader header, bool mapped, bool powerWasLost)
    {
        _file = file;
        _header = header;
        _key = header.Identity.ChecksumKey;
        _mapped = mapped;
        _powerWasLost = powerWasLost;
        _lastTimestamp = header.TimestampFloor;
        _sections = mapped ? [] : LoadCheckpoints();
        Positions = new DensePositions(file.Path, _sections);
        _streams = new OpenStreams(file.Path) { Names = new RecoveredNames(file, header, Positions) };
        Covered = new Tail(header.BasePosition + Positions.Count, _coveredEnd, _lastTimestamp);
    }

    /// <summary>The end of what is certainly on disk: behind the newest checkpoint that a hint names.</summary>
    public Tail Covered { get; }

    /// <summary>Where the events lie; grows while <see cref="Finish"/> runs, beyond what readers ask for.</summary>
    public DensePositions Positions { get; }

    /// <summary>Finds what is known to be on disk. Reads only, and no event.</summary>
    /// <param name="file">The file.</param>
    /// <param name="header">Its header.</param>
    /// <param name="mapped">For a mapped segment checkpoints prove nothing, since no sync came before them: everything is read,
    /// and nothing is known to be on disk.</param>
    /// <param name="powerWasLost">For a mapped segment after a power loss: pages are missing in no order, so the first frame that
    /// fails is the end.</param>
    /// <exception cref="SegmentDamagedException">A checkpoint that was on disk is not whole.</exception>
    /// <exception cref="SegmentUnreadableException">The medium failed.</exception>
    public static SegmentRecovery Begin(IVolumeFile file, SegmentHeader header, bool mapped, bool powerWasLost) =>
        new(file, header, mapped, powerWasLost);

    /// <summary>Both steps at once.</summary>
    /// <inheritdoc cref="Begin"/>
    public static RecoveredTail Find(IVolumeFile file, SegmentHeader header, bool mapped, bool powerWasLost) =>
        Begin(file, header, mapped, powerWasLost).Finish();

    /// <summary>Finds the rest, once. Reads only. The result is safe to show to readers of a read-only file; a writer first runs
    /// <see cref="DurableRewrite"/>.</summary>
    /// <exception cref="SegmentDamagedException">Something that was on disk is not whole.</exception>
    /// <exception cref="SegmentUnreadableException">The medium failed.</exception>
    public RecoveredTail Finish()
    {
        RestoreStreams();
        var reader = new FrameReader(_file, _key, _header.FileBytes);
        var start = Covered.Offset;
        var offset = start;
        var tail = start;
        var intake = new FrameIntake(_file.Path, Positions, _streams)
        {
            ContentHash = _hash,
            LastTimestamp = _lastTimestamp,
            LastCheckpoint = _lastCheckpoint,
            CoveredPositions = Positions.Count,

            // The checkpoint that the hint named opened a group, and events of that group may follow it.
            GroupStart = _lastCheckpoint,
        };
        FrameStatus status;
        while ((status = reader.TryRead(offset, out var frame)) == FrameStatus.Whole)
        {
            if (!intake.Follows(frame))
            {
                if (_powerWasLost)
                {
                    break;
                }

                throw new SegmentDamagedException(_file.Path, offset, "a whole frame does not follow the one before it");
            }

            offset = frame.End;
            if (intake.Take(frame))
            {
                // What a checkpoint covers was synced before it was written; that it was synced itself, only a hint could say.
                start = _mapped || frame.Kind != FrameKind.Checkpoint ? start : frame.Offset;
                tail = frame.End;
            }
        }

        intake.DropPending();

        if (status == FrameStatus.Unknown)
        {
            throw new NotASegmentException(_file.Path, $"the frame at offset {offset} is of a kind or has flags that this program does not know. Use the program that wrote it.");
        }

        var torn = TornBytes(reader, tail);
        if (!_powerWasLost && (torn > 0 || offset > tail))
        {
            LaterGroup.Refuse(_file.Path, reader, _header.FileBytes, offset);
        }

        return new RecoveredTail
        {
            Tail = new Tail(_header.BasePosition + Positions.Count, tail, intake.LastTimestamp),
            Positions = Positions,
            Streams = _streams,
            ContentHash = intake.ContentHash,
            LastCheckpoint = intake.LastCheckpoint,
            UncoveredFrom = start,
            CoveredPositions = intake.CoveredPositions,
            HintSequence = _hintSequence,
            GroupStart = intake.GroupStart,
            PowerWasLost = _powerWasLost,
            TornBytes = torn,
        };
    }

    /// <summary>Knows again the streams of what checkpoints cover.</summary>
    private void RestoreStreams()
    {
        foreach (var section in _sections)
        {
            if (!_streams.TryRestore(section.Streams(_file.Path)))
            {
                throw new SegmentDamagedException(_file.Path, section.End, "a checkpoint contradicts itself or the one before it");
            }
        }
    }

    /// <summary>Follows the checkpoints back from the newest hint. Each is verified; what it lists is decoded when asked for.</summary>
    private CoveredSection[] LoadCheckpoints()
    {
        var reader = new FrameReader(_file, _key, _header.FileBytes, CheckpointStepBytes);
        if (NewestHint(reader) is not { } hint)
        {
            return [];
        }

        _hintSequence = hint.Sequence;
        var sections = new List<CoveredSection>();
        Checkpoint? later = null;
        for (var offset = hint.Offset; offset != 0; offset = later.Previous)
        {
            if (offset < FileLayout.FirstFrame
                || offset > _header.FileBytes - FrameLayout.HeaderBytes
                || reader.TryRead(offset, out var frame) != FrameStatus.Whole
                || frame.Kind != FrameKind.Checkpoint
                || Checkpoint.Read(frame) is not { } checkpoint
                || frame.RelativePosition > int.MaxValue
                || checkpoint.Events > frame.RelativePosition)
            {
                throw new SegmentDamagedException(_file.Path, offset, "a checkpoint that was on disk is not whole");
            }

            if (later is null)
            {
                (_coveredEnd, _lastCheckpoint) = (frame.End, offset);
                (_hash, _lastTimestamp) = (checkpoint.ContentHash, checkpoint.LastTimestamp);
            }
            else
            {
                Follow(sections, checkpoint, frame);
            }

            sections.Add(new CoveredSection((int)frame.RelativePosition - checkpoint.Events, FileLayout.FirstFrame, checkpoint));
            later = checkpoint;
        }

        sections.Reverse();
        return sections is [var first, ..] && first.First != 0
            ? throw new SegmentDamagedException(_file.Path, first.End, "the first checkpoint does not begin with the first event")
            : [.. sections];
    }

    /// <summary>Gives the section read before, which lies behind, its start: the end of this checkpoint's frame.</summary>
    private void Follow(List<CoveredSection> sections, Checkpoint checkpoint, Frame frame)
    {
        if (sections[^1].First != frame.RelativePosition || checkpoint.LastTimestamp > _lastTimestamp)
        {
            throw new SegmentDamagedException(_file.Path, sections[^1].End, "a checkpoint does not follow the one before it");
        }

        sections[^1] = sections[^1] with { Start = frame.End };
    }

    private CheckpointHint? NewestHint(FrameReader reader)
    {
        CheckpointHint? newest = null;
        foreach (var slot in (ReadOnlySpan<long>)[FileLayout.HintA, FileLayout.HintB])
        {
            var sector = reader.Bytes(slot, FileLayout.SectorBytes)[..FileLayout.SectorBytes];
            if (CheckpointHint.TryDecode(sector, _key, out var hint) && !(hint.Sequence < newest?.Sequence))
            {
                newest = hint;
            }
        }

        return newest;
    }

    /// <summary>How far behind the tail something other than zeroes lies, as far as a later group is searched for.</summary>
    private long TornBytes(FrameReader reader, long tail)
    {
        var torn = 0L;
        var end = Math.Min(tail + FileLayout.MaxGroupBytes(_header.FileBytes) + FrameLayout.HeaderBytes, _header.FileBytes);
        for (var offset = tail; offset < end;)
        {
            var bytes = reader.Bytes(offset, 1);
            bytes = bytes[..(int)Math.Min(bytes.Length, end - offset)];
            var last = bytes.LastIndexOfAnyExcept((byte)0);
            torn = last < 0 ? torn : offset + last + 1 - tail;
            offset += bytes.Length;
        }

        return torn;
    }
}
