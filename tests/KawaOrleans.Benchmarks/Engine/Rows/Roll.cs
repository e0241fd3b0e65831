using System.Diagnostics;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>One caller appends durably without pause while the log rolls; the longest time one append took, roll included.</summary>
internal static class Roll
{
    private const string OneSync = "one sync";
    private const string Longest = "longest append pause";
    private const int BatchEvents = 50;
    private const long FileBytes = 8L << 20;

    public static Row Row { get; } = new("roll", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var folder = run.Scratch.Folder("roll");
        var batch = BodySize.Small.BatchOf(BatchEvents);
        var rolls = run.Pick(2, 6);
        var perSegment = (int)((FileBytes - (2L << 20)) / batch.Bytes.Length);
        using var probe = new SyncProbe(folder, batch.Bytes.Length);
        using var store = NodeStore.Open(Path.Combine(folder, "store"), "bench");
        var log = new RollingLog(store, Guid.NewGuid(), FileBytes, Durability.Durable);
        var alone = new List<double>();
        var found = Rounds.Compare(1, run.Pick(5, 9),
            new Side(OneSync, () => probe.Seconds(200)),
            new Side(Longest, () =>
            {
                var longest = 0.0;
                var atRoll = 0.0;
                for (var i = 0; i < rolls * perSegment; i++)
                {
                    var started = Stopwatch.GetTimestamp();
                    if (i % perSegment == perSegment - 1)
                    {
                        log.Roll();
                        log.Append(batch, last: false);
                        atRoll = Math.Max(atRoll, Stopwatch.GetElapsedTime(started).TotalSeconds);
                    }
                    else
                    {
                        log.Append(batch, last: false);
                    }

                    longest = Math.Max(longest, Stopwatch.GetElapsedTime(started).TotalSeconds);
                }

                alone.Add(atRoll);
                return longest;
            }));
        yield return new Figure
        {
            Id = "roll.pause",
            Title = "roll from one segment to the next: longest append pause, in syncs",
            Unit = Unit.Times,
            Goal = Goal.AtMost(5),
            Value = found.Ratio(Longest, OneSync),
            Detail = $"{found.Describe(Longest, OneSync, s => UnitText.Time(TimeSpan.FromSeconds(s)))}; the roll itself {UnitText.Time(TimeSpan.FromSeconds(Comparison.MedianOf(alone)))}",
        };
        store.Dispose();
        Scratch.Remove(folder);
    }
}
