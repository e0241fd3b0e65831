using System.IO.Hashing;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>What the machine can do at best with bytes that lie in memory: hash them, frame by frame and in large blocks.</summary>
internal static class ChecksumLimits
{
    private const int Bytes = 64 << 20;
    private const int BlockBytes = 64 * 1024;

    public static Row Row { get; } = new("limit", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var data = new byte[Bytes];
        new Random(1).NextBytes(data);
        var small = BodySize.Small.FrameBytes;
        var large = BodySize.Large.FrameBytes;
        var found = Rounds.Compare(2, run.Pick(5, 9),
        [
            XxHash("xxh3", BlockBytes),
            XxHash("xxh3-small", small),
            XxHash("xxh3-large", large),
            Crc("crc32", BlockBytes),
            Crc("crc32-small", small),
            Crc("crc32-large", large),
        ]);
        foreach (var (side, title) in (IEnumerable<(string, string)>)
        [
            ("xxh3", "XxHash3 over 64 KiB blocks: the checksum limit"),
            ("crc32", "Crc32 over 64 KiB blocks"),
        ])
        {
            yield return new Figure
            {
                Id = $"limit.{side}",
                Title = title,
                Unit = Unit.BytesPerSecond,
                Value = found.Median(side),
                Detail = UnitText.Text($"over {small}-byte frames {found.Median(side + "-small") / 1e9:0.0} GB/s, over {large}-byte frames {found.Median(side + "-large") / 1e9:0.0} GB/s"),
            };
        }

        Side XxHash(string name, int block) => Side.Rate(name, Bytes, () =>
        {
            var sum = 0UL;
            for (var at = 0; at + block <= data.Length; at += block)
            {
                sum ^= XxHash3.HashToUInt64(data.AsSpan(at, block));
            }

            GC.KeepAlive(sum);
        });

        Side Crc(string name, int block) => Side.Rate(name, Bytes, () =>
        {
            var sum = 0U;
            for (var at = 0; at + block <= data.Length; at += block)
            {
                sum ^= Crc32.HashToUInt32(data.AsSpan(at, block));
            }

            GC.KeepAlive(sum);
        });
    }
}
