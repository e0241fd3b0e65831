using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>What the segments of one store share.</summary>
internal sealed record SegmentHost(IVolume Volume, MapCache Views, TimeProvider Time, Action<Segment>? WhenSealed)
{
    /// <summary>Bytes of frames between two checkpoints.</summary>
    public long CheckpointIntervalBytes { get; init; } = FileLayout.CheckpointIntervalBytes;

    /// <summary>The heads of streams before a segment; of one used alone there are none.</summary>
    public Func<SegmentHeader, IStreamHeads> HeadsBefore { get; init; } = static _ => NoHeads.Instance;

    /// <summary>The same, or null where they are not at hand.</summary>
    public IStreamHeads? HeadsIfKnown(SegmentHeader header)
    {
        try
        {
            return HeadsBefore(header);
        }
        catch (HeadsMissingException)
        {
            return null;
        }
    }

    /// <summary>For a segment used alone: its footer is written when its user asks for it.</summary>
    public static SegmentHost ForOneFile(TimeProvider? time) => new(DiskVolume.Instance, new MapCache(), time ?? TimeProvider.System, WhenSealed: null);
}
