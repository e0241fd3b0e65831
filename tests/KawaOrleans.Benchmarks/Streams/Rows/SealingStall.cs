using System.Diagnostics;
using KawaOrleans.Benchmarks.Engine;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Streams.Rows;

/// <summary>One caller goes on appending while the segment before is sealed: its footer is made, with an index of all its streams, and its heads are
/// merged. On the engine alone: the disk's own pauses are shown beside.</summary>
internal static class SealingStall
{
    private const int Streams = 100_000;
    private const int BatchEvents = 1000;
    private const string Stall = "longest append while the segment before is sealed";
    private const string Sync = "longest plain sync of as many";

    public static Row Row { get; } = new("seal", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var folder = run.Scratch.Folder("seal");
        var fileBytes = (long)run.Pick(64, 256) << 20;
        var batches = Enumerable.Range(0, Streams / BatchEvents)
            .Select(b => EventBatch.Encode([.. Enumerable.Range(b * BatchEvents, BatchEvents).Select(n => new EventData($"orders-{n:000000000}", "order-placed", new byte[100]))]))
            .ToList();
        var single = EventBatch.Of(new EventData("orders-000000000", "order-placed", new byte[100]));
        using var probe = new SyncProbe(folder, single.Bytes.Length);
        using var store = NodeStore.Open(Path.Combine(folder, "store"), "bench");
        var log = new RollingLog(store, Guid.NewGuid(), fileBytes, Durability.Durable);
        var (longest, appends, sealing) = (0.0, 0, 0.0);
        var found = Rounds.Compare(
            0,
            run.Pick(2, 5),
            new Side(Stall, () =>
            {
                for (var n = 0; log.Writer.HasRoomFor(batches[n % batches.Count].Bytes.Length); n++)
                {
                    log.Append(batches[n % batches.Count], last: false);
                }

                log.Roll();
                (longest, appends, sealing) = AppendWhileSealing(log, single);
                return longest;
            }),
            new Side(Sync, () => probe.Longest(Math.Max(1, appends))));
        yield return new Figure
        {
            Id = "seal.stall",
            Title = $"longest append while a {fileBytes >> 20} MiB segment with {Streams / 1000} k streams is sealed behind it",
            Unit = Unit.Seconds,
            Goal = Goal.AtMost(0.05),
            Value = found.Values(Stall).Max(),
            Detail = $"of {appends} appends in the last round, in {UnitText.Seconds(sealing)}, twice what seal and footer took; {found.Describe(UnitText.Seconds)}",
        };
        store.Dispose();
        Scratch.Remove(folder);
    }

    private static (double Longest, int Appends, double Seconds) AppendWhileSealing(RollingLog log, EventBatch single)
    {
        var began = Stopwatch.GetTimestamp();
        var (longest, appends) = (0.0, 0);
        for (var until = TimeSpan.MaxValue; Stopwatch.GetElapsedTime(began) < until;)
        {
            if (until == TimeSpan.MaxValue && log.IsSettled)
            {
                // As long again for the heads, which are merged once the footer is there.
                until = 2 * Stopwatch.GetElapsedTime(began);
            }

            var started = Stopwatch.GetTimestamp();
            log.Append(single, last: false);
            longest = Math.Max(longest, Stopwatch.GetElapsedTime(started).TotalSeconds);
            appends++;
        }

        return (longest, appends, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }
}
