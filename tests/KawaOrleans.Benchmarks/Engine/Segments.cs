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
    public static int Scan(Segment segment, int blockBytes = 1 << 20)
    {
        var identity = segment.Header.Identity;
        var count = 0;
        for (var next = segment.Header.BasePosition; ;)
        {
            var block = segment.Read(next, long.MaxValue, int.MaxValue, blockBytes);
            if (block.Next == next)
            {
                return count;
            }

            next = block.Next;
            count += Verify(block.Bytes.Span, block.Run.Offset, identity);
        }
    }

    /// <summary>One event by its position, checked, in place; answers something of its bytes.</summary>
    public static long ReadOne(Segment segment, long position)
    {
        var block = segment.Read(position, position + 1, 1, 1);
        if (Frame.TryRead(block.Bytes.Span, block.Run.Offset, segment.Header.Identity, out var frame) != FrameStatus.Whole)
        {
            throw new InvalidOperationException($"Position {position} does not verify.");
        }

        return frame.Body[0] + frame.RelativePosition;
    }

    /// <summary>Checks consecutive frames and answers how many of them are events.</summary>
    public static int Verify(ReadOnlySpan<byte> bytes, long offset, SegmentIdentity identity)
    {
        var count = 0;
        while (!bytes.IsEmpty)
        {
            if (Frame.TryRead(bytes, offset, identity, out var frame) != FrameStatus.Whole)
            {
                throw new InvalidOperationException($"The frame at offset {offset} does not verify.");
            }

            count += frame.Kind == FrameKind.Event ? 1 : 0;
            offset = frame.End;
            bytes = bytes[frame.Bytes.Length..];
        }

        return count;
    }
}
