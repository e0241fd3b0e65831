using KawaOrleans.Format;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine;

/// <summary>Segments of our own for the rows.</summary>
internal static class Segments
{
    private static readonly Guid LogId = new("10000000-0000-0000-0000-000000000001");
    private static readonly Guid NodeId = new("20000000-0000-0000-0000-000000000001");

    /// <summary>A generous size for this many events: frames, a share for checkpoints and the write group's reserve.</summary>
    public static long FileBytesFor(BodySize size, long events) =>
        ((events * (size.FrameBytes + 4)) + (32L << 20)) / 4096 * 4096;

    public static SegmentHeader Header(long fileBytes, long basePosition = 0, long epoch = 1) => new()
    {
        Identity = new SegmentIdentity(Guid.NewGuid(), 0, epoch),
        LogId = LogId,
        LogName = "bench",
        BasePosition = basePosition,
        FileBytes = fileBytes,
        Ensemble = [NodeId],
        ChainVersion = 1,
    };

    public static Segment Create(string folder, long fileBytes) => Segment.Create(Path.Combine(folder, "bench.seg"), Header(fileBytes));

    /// <summary>A segment that holds this many events, still open; answers its writer too.</summary>
    public static (Segment Segment, SegmentWriter Writer) Filled(string folder, BodySize size, int events)
    {
        var segment = Create(folder, FileBytesFor(size, events));
        var writer = segment.OpenWriter(Guid.NewGuid());
        Fill(writer, size, events);
        return (segment, writer);
    }

    public static void Fill(SegmentWriter writer, BodySize size, int events)
    {
        var large = size.BatchOf(events);
        for (var left = events; left > 0;)
        {
            var batch = left >= large.Count ? large : size.BatchOf(left);
            Append(writer, batch);
            left -= batch.Count;
        }
    }

    public static void Append(SegmentWriter writer, EventBatch batch) => writer.AppendAsync(batch).AsTask().GetAwaiter().GetResult();

    /// <summary>Every event from the first to the last, checked, in place; answers how many there were.</summary>
    public static int Scan(Segment segment)
    {
        var count = 0;
        var sum = 0L;
        foreach (var e in segment.Scan(segment.Header.BasePosition, long.MaxValue))
        {
            sum += e.Data[0];
            count++;
        }

        return sum < 0 ? -1 : count;
    }

    /// <summary>One event by its position, checked, in place; answers something of its bytes.</summary>
    public static long ReadOne(Segment segment, long position)
    {
        foreach (var e in segment.Scan(position, position + 1))
        {
            return e.Data[0] + e.Position;
        }

        throw new InvalidOperationException($"Position {position} is not there.");
    }
}
