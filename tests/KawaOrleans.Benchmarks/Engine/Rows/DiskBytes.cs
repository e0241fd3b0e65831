using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;
using KawaOrleans.Format;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>All that a sealed segment needs for its events: header pages, frames, checkpoints, footer.</summary>
internal static class DiskBytes
{
    private const int Events = 200_000;
    private const int DataBytes = 100;

    public static Row Row { get; } = new("disk-bytes", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var folder = run.Scratch.Folder("disk-bytes");
        using var segment = Segments.Create(folder, 64L << 20);
        var writer = segment.OpenWriter(Guid.NewGuid());
        var batch = EventBatch.Encode([.. Enumerable.Range(0, BodySize.BatchEvents).Select(n => BodySize.Event(n, DataBytes))]);
        for (var i = 0; i < Events / batch.Count; i++)
        {
            Segments.Append(writer, batch);
        }

        segment.Seal(segment.Fence(savedChainVersion: 1).Position);
        segment.WriteFooter();
        var footer = FooterBytes(segment);
        yield return new Figure
        {
            Id = "disk-bytes.100",
            Title = "bytes on disk per 100-byte event (16-byte stream, 12-byte type), footer and indexes included",
            Unit = Unit.Bytes,
            Goal = Goal.AtMost(232, 200),
            Value = (segment.Tail.Offset + footer) / (double)Events,
            Detail = UnitText.Text($"frame {batch.Bytes.Length / (double)batch.Count:0.#} B; footer {footer / (double)Events:0.00} B per event; {Events} events"),
        };
        segment.Dispose();
        Scratch.Remove(folder);
    }

    private static int FooterBytes(Segment segment)
    {
        var bytes = File.ReadAllBytes(segment.Path);
        var end = segment.Tail.Offset;
        return Frame.TryRead(bytes.AsSpan((int)end), end, segment.Header.Identity, out var frame) == FrameStatus.Whole && frame.Kind == FrameKind.Footer
            ? frame.Bytes.Length
            : throw new InvalidOperationException("The sealed segment has no footer.");
    }
}
