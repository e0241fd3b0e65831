using KawaOrleans.Benchmarks.Engine.Peers;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>One event of a million by its number, checked, bytes in hand; all of it in the page cache on every side.</summary>
internal static class RandomRead
{
    private const string Ours = "random read";
    private const int Events = 1_000_000;

    public static Row Row { get; } = new("random-read", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        foreach (var size in (run.Quick ? [BodySize.Small] : BodySize.Both).Where(s => run.Wants(Id(s, "fasterlog")) || run.Wants(Id(s, "lmdb"))))
        {
            var folder = run.Scratch.Folder("random-read");
            var (segment, _) = Segments.Filled(folder, size, Events);
            using var faster = FasterLogPeer.OnDisk(Directory.CreateDirectory(Path.Combine(folder, "faster")).FullName, memoryBits: size == BodySize.Small ? 28 : 31);
            var addresses = faster.EnqueueKeepingAddresses(size, Events);
            faster.Commit();
            using var lmdb = LmdbPeer.Presence.IsAvailable ? new LmdbPeer(Directory.CreateDirectory(Path.Combine(folder, "lmdb")).FullName, durable: false) : null;
            lmdb?.AppendDurably(size, Events / BodySize.BatchEvents);

            var reads = run.Pick(200_000, 1_000_000);
            var random = new Random(7);
            var numbers = Enumerable.Range(0, reads).Select(_ => random.Next(Events)).ToArray();
            var fasterReads = run.Pick(3_000, 50_000);
            List<Side> sides =
            [
                Side.Rate(Ours, reads, () =>
                {
                    var sum = 0L;
                    foreach (var number in numbers)
                    {
                        sum += Segments.ReadOne(segment, number);
                    }

                    GC.KeepAlive(sum);
                }),
                Side.Rate(faster.Name, fasterReads, () =>
                {
                    var sum = 0L;
                    foreach (var number in numbers.AsSpan(0, fasterReads))
                    {
                        sum += faster.Read(addresses[number], size.Bytes);
                    }

                    GC.KeepAlive(sum);
                }),
            ];
            if (lmdb is not null)
            {
                sides.Add(Side.Rate(lmdb.Name, reads, () => GC.KeepAlive(lmdb.ReadAll(numbers))));
            }

            var found = Rounds.Compare(Rounds.WarmupsOfCode, run.Pick(5, 9), sides);
            yield return new Figure
            {
                Id = Id(size, "fasterlog"),
                Title = $"random read with checksum, position → bytes, 1 M events, vs FasterLog ReadAsync, {size}",
                Unit = Unit.Times,
                Goal = Goal.AtLeast(10, 30),
                Value = found.Ratio(Ours, faster.Name),
                Detail = found.Describe(Ours, faster.Name, UnitText.PerSecond),
            };
            yield return new Figure
            {
                Id = Id(size, "lmdb"),
                Title = $"random read with checksum, position → bytes, 1 M events, vs LMDB get, {size}",
                Unit = Unit.Times,
                Goal = Goal.AtLeast(1.5, 4),
                Value = lmdb is null ? null : found.Ratio(Ours, lmdb.Name),
                Detail = lmdb is null ? LmdbPeer.Presence.Version : found.Describe(Ours, lmdb.Name, UnitText.PerSecond),
            };
            segment.Dispose();
            Scratch.Remove(folder);
        }
    }

    private static string Id(BodySize size, string against) => $"random-read.{size.Bytes}.{against}";
}
