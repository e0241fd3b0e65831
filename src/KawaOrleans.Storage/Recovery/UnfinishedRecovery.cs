using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Recovery;

/// <summary>A file that is not sealed and of which is known what is certainly on disk, but not yet where it ends.</summary>
internal sealed class UnfinishedRecovery
{
    private readonly IVolumeFile _file;
    private readonly SegmentHeader _header;
    private readonly SegmentLoader.States _states;
    private readonly SegmentRecovery _recovery;
    private readonly bool _writable;

    private UnfinishedRecovery(IVolumeFile file, SegmentHeader header, SegmentLoader.States states, bool writable)
    {
        _writable = writable;
        _file = file;
        _header = header;
        _states = states;

        // What a fence or seal says was synced before it was said.
        var mapped = states.Opened?.Durability == Durability.Mapped;
        LostPower = mapped && states.State == SegmentState.Open && !BootId.IsCurrent(states.Opened!.Value.BootId);
        _recovery = SegmentRecovery.Begin(file, header, mapped, LostPower);
    }

    /// <summary>The end of what may be read before the recovery is finished.</summary>
    public Tail Covered => _recovery.Covered;

    public DensePositions Positions => _recovery.Positions;

    /// <summary>See <see cref="Segment.LostPower"/>.</summary>
    public bool LostPower { get; }

    /// <exception cref="SegmentDamagedException">A checkpoint that was on disk is not whole.</exception>
    /// <exception cref="SegmentUnreadableException">The medium failed.</exception>
    public static UnfinishedRecovery Begin(IVolumeFile file, SegmentHeader header, SegmentLoader.States states, bool writable) =>
        new(file, header, states, writable);

    /// <summary>Finds where the file ends and, if it is open for writing, puts that on disk. Once.</summary>
    /// <exception cref="SegmentDamagedException">It cannot be trusted; nothing was changed.</exception>
    /// <exception cref="SegmentUnreadableException">The medium failed.</exception>
    /// <exception cref="SegmentPoisonedException">A write or sync failed.</exception>
    public RecoveredTail Finish()
    {
        var recovered = _recovery.Finish();
        if (_states.State == SegmentState.Prepared)
        {
            if (recovered.Tail.Offset != FileLayout.FirstFrame || recovered.TornBytes != 0)
            {
                throw new SegmentDamagedException(_file.Path, FileLayout.Opened, "it holds frames but says that it was never opened");
            }

            if (_writable)
            {
                // Its claim may be known to the page cache alone: to the disk it would still be a spare, and be removed.
                DurableRewrite.StatesOnly(_file);
            }

            return recovered;
        }

        // One of several may have been completed from another since.
        if (_states.Fenced is { } fenced && (_header.IsOneOfSeveral ? fenced.Tail.Offset > recovered.Tail.Offset : fenced.Tail != recovered.Tail))
        {
            throw new SegmentDamagedException(
                _file.Path, recovered.Tail.Offset, $"it was fenced at position {fenced.Tail.Position} and now reaches {recovered.Tail.Position}");
        }

        if (_writable)
        {
            DurableRewrite.Run(_file, _header, recovered);
        }

        return recovered;
    }
}
