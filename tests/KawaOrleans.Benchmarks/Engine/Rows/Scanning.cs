using System.IO.Hashing;
using KawaOrleans.Benchmarks.Engine.Peers;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>Every event from first to last, each checked, in place, from the page cache.</summary>
internal static class Scanning
{
    private const string Ours = "scan";
    private const string Limit = "checksum limit";
    private const int LimitBlockBytes = 64 * 1024;

    public static Row Row { get; } = new("scan", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        foreach (var size in BodySize.Both.Where(s => Ids(s).Any(run.Wants)))
        {
            var events = size == BodySize.Small ? run.Pick(200_000, 1_000_000) : run.Pick(60_000, 300_000);
            var folder = run.Scratch.Folder("scan");
            var (segment, _) = Segments.Filled(folder, size, events);
            using var faster = FilledFasterLog(Directory.CreateDirectory(Path.Combine(folder, "faster")).FullName, size, events);
            using var rocks = RocksDbPeer.Presence.IsAvailable ? FilledRocksDb(Directory.CreateDirectory(Path.Combine(folder, "rocksdb")).FullName, size, events) : null;
            List<Side> sides =
            [
                Side.Rate(Ours, events, () => Expect(events, Segments.Scan(segment))),
                Side.Rate(Limit, events, () => Hash(segment)),
                Side.Rate(faster.Name, events, () => Expect(events, faster.Scan())),
            ];
            if (rocks is not null)
            {
                sides.Add(Side.Rate(rocks.Name, events, () => Expect(events, rocks.Scan())));
            }

            var found = Rounds.Compare(3, run.Pick(7, 11), sides);
            yield return new Figure
            {
                Id = Id(size, "limit"),
                Title = $"scan with checksum, zero-copy, vs checksum limit in 64 KiB blocks, {size}",
                Unit = Unit.Times,
                Goal = Goal.AtLeast(0.45, 0.75),
                Value = found.Ratio(Ours, Limit),
                Detail = UnitText.Text($"{found.Describe(Ours, Limit, UnitText.PerSecond)}; {found.Median(Ours) * size.FrameBytes / 1e9:0.0} of {found.Median(Limit) * size.FrameBytes / 1e9:0.0} GB/s"),
            };
            yield return new Figure
            {
                Id = Id(size, "fasterlog"),
                Title = $"scan, vs FasterLog scan from the page cache, {size}",
                Unit = Unit.Times,
                Goal = Goal.AtLeast(3, 5),
                Value = found.Ratio(Ours, faster.Name),
                Detail = found.Describe(Ours, faster.Name, UnitText.PerSecond),
            };
            yield return new Figure
            {
                Id = Id(size, "rocksdb"),
                Title = $"scan, vs RocksDB iterator, {size}",
                Unit = Unit.Times,
                Goal = Goal.AtLeast(15, 25),
                Value = rocks is null ? null : found.Ratio(Ours, rocks.Name),
                Detail = rocks is null ? RocksDbPeer.Presence.Version : found.Describe(Ours, rocks.Name, UnitText.PerSecond),
            };
            segment.Dispose();
            Scratch.Remove(folder);
        }
    }

    private static IEnumerable<string> Ids(BodySize size) => ((IEnumerable<string>)["limit", "fasterlog", "rocksdb"]).Select(against => Id(size, against));

    private static string Id(BodySize size, string against) => $"scan.{size.Bytes}.{against}";

    private static void Expect(int events, int found)
    {
        if (found != events)
        {
            throw new InvalidOperationException($"{found} of {events} events were read.");
        }
    }

    /// <summary>The checksum limit on the segment's own bytes.</summary>
    public static void Hash(Segment segment)
    {
        var bytes = segment.Read(0, long.MaxValue, int.MaxValue, int.MaxValue).Bytes.Span;
        var sum = 0UL;
        for (; bytes.Length >= LimitBlockBytes; bytes = bytes[LimitBlockBytes..])
        {
            sum ^= XxHash3.HashToUInt64(bytes[..LimitBlockBytes]);
        }

        GC.KeepAlive(sum);
    }

    /// <summary>Reopened with little memory, so that entries come from the file, that is from the page cache.</summary>
    private static FasterLogPeer FilledFasterLog(string folder, BodySize size, int events)
    {
        using (var filling = FasterLogPeer.OnDisk(folder, memoryBits: 26))
        {
            filling.Enqueue(size, events);
            filling.Commit();
        }

        return FasterLogPeer.OnDisk(folder, memoryBits: 24, recover: true);
    }

    private static RocksDbPeer FilledRocksDb(string folder, BodySize size, int events)
    {
        var rocks = new RocksDbPeer(folder, durable: false);
        rocks.AppendDurably(size, events / BodySize.BatchEvents);
        return rocks;
    }
}
