using System.Diagnostics;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>A full segment whose process died: how long until it answers a read of what a checkpoint covers, as a node does while it
/// recovers, and how long until it is recovered and takes a durable append; against checking all of it.</summary>
internal static class CrashOpen
{
    private const long FileBytes = 1L << 30;
    private const long SpareBytes = 16L << 20;
    private const string ToRead = "to first read";
    private const string ToAppend = "to first append";
    private const string Verify = "full verify";

    public static Row Row { get; } = new("open", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var size = BodySize.Small;
        var folder = run.Scratch.Folder("open");
        var events = (int)((FileBytes - SpareBytes) / (size.FrameBytes + 2));
        var segment = Segments.Create(folder, FileBytes);
        Segments.Fill(segment.OpenWriter(Guid.NewGuid()), size, events);
        var crashed = CrashedSegment.Leave(segment);
        Comparison? found = null;
        var reason = "";
        try
        {
            found = Compare(run, crashed, size, events);
        }
        catch (StorageException e)
        {
            reason = e.Message;
        }

        yield return Figure(ToRead, "open.read", Goal.AtMost(1.0 / 20, 1.0 / 50));
        yield return Figure(ToAppend, "open.append", Goal.AtMost(1.0 / 8, 1.0 / 20));
        Scratch.Remove(folder);

        Figure Figure(string side, string id, Goal goal) => new()
        {
            Id = id,
            Title = $"open a 1 GiB segment after a crash, {side}, vs a full verify",
            Unit = Unit.Share,
            Goal = goal,
            Value = found?.Ratio(side, Verify),
            Detail = found is null ? $"not measured: it does not open: {reason}" : UnitText.Text($"{found.Describe(side, Verify, s => UnitText.Time(TimeSpan.FromSeconds(s)))}; page cache warm, {crashed.UncoveredBytes / 1048576.0:0.0} MiB behind the last checkpoint"),
        };
    }

    private static Comparison Compare(Run run, CrashedSegment crashed, BodySize size, int events) => Rounds.Compare(1, run.Pick(3, 7),
        new Side(ToRead, () => crashed.Timed(path => Segment.OpenUnrecovered(path), opened => Segments.ReadOne(opened, events / 2))),
        new Side(ToAppend, () => crashed.Timed(path => Segment.Open(path), opened => Segments.Append(opened.OpenWriter(Guid.NewGuid()), size.Single(0)))),
        new Side(Verify, () =>
        {
            var started = Stopwatch.GetTimestamp();
            var verified = crashed.Verify();
            return verified == events
                ? Stopwatch.GetElapsedTime(started).TotalSeconds
                : throw new InvalidOperationException($"{verified} of {events} events were read.");
        }));
}
