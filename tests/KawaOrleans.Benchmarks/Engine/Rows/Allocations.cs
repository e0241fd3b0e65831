using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>What the collector has to clean up for each event, over all threads: what was allocated less what is still alive after a
/// collection while the segment is open. What stays, the index in memory, is a figure of its own.</summary>
internal static class Allocations
{
    /// <summary>Below this nothing is allocated per event: what is left is per block, per index chunk, or the runtime's own.</summary>
    private const double NothingBytes = 0.05;

    public static Row Row { get; } = new("allocated", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var size = BodySize.Small;
        var events = run.Pick(200_000, 1_000_000);
        var singles = run.Pick(2_000, 10_000);
        var folder = run.Scratch.Folder("allocated");
        using (var segment = Segments.Create(folder, Segments.FileBytesFor(size, 3L * events)))
        {
            var tail = MappedTail.Open(segment);
            var mapped = PerEvent(events, () =>
            {
                for (var i = 0; i < events; i++)
                {
                    tail.Append(size.Single(i));
                }
            });
            yield return Figure("append-mapped", "mapped, one event at a time", mapped);
            yield return new Figure
            {
                Id = "allocated.index",
                Title = "bytes of index kept in memory per event of an open segment",
                Unit = Unit.Bytes,
                Value = mapped.Kept,
                Detail = "alive after a collection; given back when the segment is sealed",
            };
            yield return Figure("scan", "scan, zero-copy", PerEvent(2 * events, () => Segments.Scan(segment)));
        }

        Scratch.Remove(folder);
        folder = run.Scratch.Folder("allocated");
        using (var segment = Segments.Create(folder, Segments.FileBytesFor(size, 3L * (events + singles))))
        {
            var writer = segment.OpenWriter(Guid.NewGuid());
            yield return Figure("append-batch", "durable, batches of 1,000", PerEvent(events, () =>
            {
                for (var i = 0; i < events / BodySize.BatchEvents; i++)
                {
                    Segments.Append(writer, size.Batch);
                }
            }));
            yield return Figure("append-single", "durable, one event at a time", PerEvent(singles, () => Task.Run(async () =>
            {
                for (var i = 0; i < singles; i++)
                {
                    await writer.AppendAsync(size.Single(i));
                }
            }).GetAwaiter().GetResult()));
        }

        Scratch.Remove(folder);

        Figure Figure(string id, string what, (double Garbage, double Kept) bytes) => new()
        {
            Id = $"allocated.{id}",
            Title = $"garbage bytes per event: {what}",
            Unit = Unit.Bytes,
            Goal = Goal.AtMost(NothingBytes),
            Value = bytes.Garbage,
            Detail = UnitText.Text($"all threads; allocated {bytes.Garbage + bytes.Kept:0.00} B, of which alive after a collection with the segment open {bytes.Kept:0.00} B"),
        };
    }

    private static (double Garbage, double Kept) PerEvent(int events, Action work)
    {
        work();
        var keptBefore = GC.GetTotalMemory(forceFullCollection: true);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        work();
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        var kept = GC.GetTotalMemory(forceFullCollection: true) - keptBefore;
        return ((allocated - kept) / (double)events, kept / (double)events);
    }
}
