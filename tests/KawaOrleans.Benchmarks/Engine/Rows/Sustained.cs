using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>More than the page cache likes to keep dirty: segment after segment, each synced once when it is full, the files
/// made on the way; against writing the same bytes to the same number of plain files.</summary>
internal static class Sustained
{
    private const string Plain = "plain writes";
    private const string Mapped = "mapped tail";
    private const string Durable = "durable tail";
    private const int PlainWriteBytes = 1 << 20;

    public static Row Row { get; } = new("sustained", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var size = BodySize.Small;
        var segments = run.Pick(3, 4);
        var fileBytes = run.Quick ? 64L << 20 : 1L << 30;
        var folder = run.Scratch.Folder("sustained");
        var batch = size.Batch;
        var batches = (int)((fileBytes - (2L << 20)) / (batch.Bytes.Length + 2000));
        var bytes = (double)segments * batches * batch.Bytes.Length;
        var found = Rounds.Compare(warmups: 0, rounds: 3,
            Side.Rate(Mapped, bytes, () => Append(folder, fileBytes, segments, batches, batch, Durability.Mapped)),
            Side.Rate(Durable, bytes, () => Append(folder, fileBytes, segments, batches, batch, Durability.Durable)),
            Side.Rate(Plain, bytes, () => Write(folder, segments, batches, batch.Bytes.Span)));
        yield return new Figure
        {
            Id = "sustained.mapped",
            Title = UnitText.Text($"sustained {segments * fileBytes / 1048576.0 / 1024:0.##} GiB through {segments} segments, one sync per segment, vs plain sequential write and sync"),
            Unit = Unit.Times,
            Goal = Goal.AtLeast(0.8, 0.95),
            Value = found.Ratio(Mapped, Plain),
            Detail = found.Describe(Mapped, Plain, rate => Unit.BytesPerSecond.Write(rate)),
        };
        yield return new Figure
        {
            Id = "sustained.durable",
            Title = "the same on the durable tail, one sync per batch of 1,000",
            Unit = Unit.Times,
            Value = found.Ratio(Durable, Plain),
            Detail = found.Describe(Durable, Plain, rate => Unit.BytesPerSecond.Write(rate)),
        };
        Scratch.Remove(folder);
    }

    private static void Append(string folder, long fileBytes, int segments, int batches, EventBatch batch, Durability durability)
    {
        var store = Path.Combine(folder, "store");
        var logId = Guid.NewGuid();
        using (var node = NodeStore.Open(store, "bench"))
        {
            var log = new RollingLog(node, logId, fileBytes, durability);
            for (var i = 0; i < segments * batches; i++)
            {
                log.Append(batch, last: i % batches == batches - 1);
            }

            log.Settle();
        }

        Scratch.Remove(store);
    }

    private static void Write(string folder, int segments, int batches, ReadOnlySpan<byte> block)
    {
        var files = Directory.CreateDirectory(Path.Combine(folder, "plain")).FullName;
        var buffer = new byte[PlainWriteBytes / block.Length * block.Length];
        for (var at = 0; at < buffer.Length; at += block.Length)
        {
            block.CopyTo(buffer.AsSpan(at));
        }

        for (var segment = 0; segment < segments; segment++)
        {
            using var file = File.OpenHandle(Path.Combine(files, $"{segment}"), FileMode.CreateNew, FileAccess.Write);
            var bytes = (long)batches * block.Length;
            for (var offset = 0L; offset < bytes; offset += buffer.Length)
            {
                RandomAccess.Write(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, bytes - offset)), offset);
            }

            SyncProbe.DataSync(file);
        }

        Scratch.Remove(files);
    }
}
