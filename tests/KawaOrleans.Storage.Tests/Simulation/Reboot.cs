using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage.Tests.Simulation;

/// <summary>The engine knows a power loss by the operating system's run, which a test cannot change: instead each mapped segment
/// is made to say that another run opened it.</summary>
internal static class Reboot
{
    private static readonly Guid AnotherRun = new("99999999-0000-0000-0000-000000000001");

    public static SimulatedVolume Of(SimulatedVolume volume)
    {
        foreach (var path in volume.AllFiles.Where(path => path.EndsWith(".seg", StringComparison.Ordinal) && !SpareFiles.IsUnclaimed(volume, path)))
        {
            if (Opened(volume, path, out var key) is { Durability: Durability.Mapped } opened)
            {
                volume.Replace(path, (int)FileLayout.Opened, (opened with { BootId = AnotherRun }).Encode(key));
            }
        }

        return volume;
    }

    /// <summary>True for a segment that resumes, or would without the reboot, as mapped.</summary>
    public static bool IsMapped(SimulatedVolume volume, Segment segment) =>
        segment.State == SegmentState.Open && Opened(volume, segment.Path, out _) is { Durability: Durability.Mapped };

    private static OpenedSector? Opened(SimulatedVolume volume, string path, out uint key)
    {
        key = SegmentHeaderCodec.Decode(path, volume.Bytes(path)[..FileLayout.HeaderPageBytes]).Identity.ChecksumKey;
        var sector = volume.Bytes(path).Slice((int)FileLayout.Opened, FileLayout.SectorBytes);
        return OpenedSector.Decode(sector, key, out var opened) == SectorStatus.Whole ? opened : null;
    }
}
