using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage.Tests.Simulation;

/// <summary>What a segment shows before its recovery is finished must be what no crash can take away: the disk alone, without
/// the page cache, shows the same.</summary>
internal static class Unrecovered
{
    /// <summary>Looks into every segment of what a crash left; answers how many events were seen.</summary>
    public static int Check(SimulatedVolume left)
    {
        var seen = 0;
        foreach (var path in left.AllFiles.Where(path => path.EndsWith(".seg", StringComparison.Ordinal) && !SpareFiles.IsUnclaimed(left, path)))
        {
            var looked = left.AfterKill();
            looked.Recorded = [];
            using var segment = SegmentLoader.LoadUnrecovered(Host(looked), path, writable: true);
            if (segment.State == SegmentState.Sealed)
            {
                continue;
            }

            var shown = Read(segment, segment.Published.Position);
            Assert.Equal(segment.Published.Position - segment.Header.BasePosition, shown.Count);
            Assert.Empty(looked.Recorded);
            if (shown.Count > 0)
            {
                using var kept = SegmentLoader.Load(Host(Reboot.Of(left.AfterPowerLoss(Survival.None))), path, writable: true);
                Assert.Equal(shown, Read(kept, segment.Published.Position));
                seen += shown.Count;
            }
        }

        return seen;
    }

    private static List<(long Position, Guid Id)> Read(Segment segment, long end)
    {
        var events = new List<(long, Guid)>();
        for (var position = segment.Header.BasePosition; position < end; position++)
        {
            Assert.True(segment.TryRead(position, out var found), $"position {position} is not there");
            events.Add((found!.Position, found.Id));
        }

        return events;
    }

    private static SegmentHost Host(SimulatedVolume volume) => new(volume, new MapCache(), new StillTime(), null);
}
