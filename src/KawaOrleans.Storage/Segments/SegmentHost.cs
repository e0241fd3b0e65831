using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>What the segments of one store share.</summary>
internal sealed record SegmentHost(IVolume Volume, MapCache Views, TimeProvider Time, Action<Segment>? WhenSealed)
{
    /// <summary>Bytes of frames between two checkpoints.</summary>
    public long CheckpointIntervalBytes { get; init; } = FileLayout.CheckpointIntervalBytes;

    /// <summary>For a segment used alone: its footer is written when its user asks for it.</summary>
    public static SegmentHost ForOneFile(TimeProvider? time) => new(DiskVolume.Instance, new MapCache(), time ?? TimeProvider.System, WhenSealed: null);
}
