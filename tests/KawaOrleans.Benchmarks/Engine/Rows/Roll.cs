using System.Diagnostics;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>One caller appends durably without pause while the log rolls: how long the append takes that meets the roll.</summary>
/// <remarks>The longest of all appends is a figure of its own, held against the longest of as many plain syncs: on a shared disk
/// those alone take many medians.</remarks>
internal static class Roll
{
    private const string OneSync = "one sync";
    private const string AtRoll = "longest pause at a roll";
    private const string Anywhere = "longest append";
    private const string LongestSync = "longest plain sync of as many";
    private const int BatchEvents = 50;
    private const long FileBytes = 8L << 20;

    public static Row Row { get; } = new("roll", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var folder = run.Scratch.Folder("roll");
        var batch = BodySize.Small.BatchOf(BatchEvents);
        var rolls = run.Pick(3, 6);
        var perSegment = (int)(FileBytes / batch.Bytes.Length);
        using var probe = new SyncProbe(folder, batch.Bytes.Length);
        using var store = NodeStore.Open(Path.Combine(folder, "store"), "bench");
        var log = new RollingLog(store, Guid.NewGuid(), FileBytes, Durability.Durable);
        var (atRoll, anywhere) = (0.0, 0.0);
        var found = Rounds.Compare(2, run.Pick(7, 11),
            new Side(OneSync, () => probe.Seconds(200)),
            new Side(AtRoll, () =>
            {
                (atRoll, anywhere) = Append(log, batch, rolls);
                return atRoll;
            }),
            new Side(Anywhere, () => anywhere),
            new Side(LongestSync, () => probe.Longest(rolls * perSegment)));
        yield return new Figure
        {
            Id = "roll.pause",
            Title = "roll from one segment to the next: longest append pause, in syncs",
            Unit = Unit.Times,
            Goal = Goal.AtMost(5),
            Value = found.Ratio(AtRoll, OneSync),
            Detail = found.Describe(AtRoll, OneSync, s => UnitText.Time(TimeSpan.FromSeconds(s))),
        };
        yield return new Figure
        {
            Id = "roll.longest-append",
            Title = "the longest of all appends while the log rolls and next files are made, vs the longest of as many plain syncs",
            Unit = Unit.Times,
            Value = found.Ratio(Anywhere, LongestSync),
            Detail = found.Describe(Anywhere, LongestSync, s => UnitText.Time(TimeSpan.FromSeconds(s))),
        };
        store.Dispose();
        Scratch.Remove(folder);
    }

    private static (double AtRoll, double Anywhere) Append(RollingLog log, EventBatch batch, int rolls)
    {
        var (atRoll, anywhere) = (0.0, 0.0);
        for (var rolled = 0; rolled < rolls;)
        {
            var rolling = !log.Writer.HasRoomFor(batch.Bytes.Length);
            var started = Stopwatch.GetTimestamp();
            if (rolling)
            {
                log.Roll();
                rolled++;
            }

            log.Append(batch, last: false);
            var taken = Stopwatch.GetElapsedTime(started).TotalSeconds;
            anywhere = Math.Max(anywhere, taken);
            atRoll = rolling ? Math.Max(atRoll, taken) : atRoll;
        }

        log.Settle();
        return (atRoll, anywhere);
    }
}
