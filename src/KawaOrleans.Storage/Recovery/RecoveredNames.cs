using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Recovery;

/// <summary>Names of streams that a checkpoint knows, read from their first events by positional reads.</summary>
internal sealed class RecoveredNames(IVolumeFile file, SegmentHeader header, DensePositions positions) : IEventNames
{
    // They lie here and there: no more than one is wanted from a place.
    private const int StepBytes = 4096;

    private readonly FrameReader _frames = new(file, header.Identity.ChecksumKey, header.FileBytes, StepBytes);

    public bool IsInStream(uint relativePosition, ReadOnlySpan<byte> name) => name.SequenceEqual(EventAt(relativePosition).StreamUtf8);

    public StreamState StateAfter(uint relativePosition) => StreamStates.Of(EventAt(relativePosition).Frame.Traits);

    private EventFrame EventAt(uint relativePosition)
    {
        var offset = positions.OffsetOf(relativePosition);
        return _frames.TryRead(offset, out var frame) == FrameStatus.Whole && EventFrame.TryOpen(frame, 0, out var e)
            ? e
            : throw new SegmentDamagedException(file.Path, offset, "an event that a checkpoint covers is not whole");
    }
}
