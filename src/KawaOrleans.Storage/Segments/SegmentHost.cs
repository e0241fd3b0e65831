using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>What the segments of one store share.</summary>
internal sealed record SegmentHost(IVolume Volume, MapCache Views, TimeProvider Time, Action<Segment>? WhenSealed)
{
    /// <summary>For a segment used alone: its footer is written when its user asks for it.</summary>
    public static SegmentHost ForOneFile(TimeProvider? time) => new(DiskVolume.Instance, new MapCache(), time ?? TimeProvider.System, WhenSealed: null);
}
