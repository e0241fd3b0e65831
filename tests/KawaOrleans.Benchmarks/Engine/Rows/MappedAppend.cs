using KawaOrleans.Benchmarks.Engine.Peers;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>One event after the other into the page cache, in a new file each round, whose pages the engine supplies in the background.</summary>
/// <remarks>FasterLog throws its pages away and starts with a ring that is warm: nothing but its enqueue is on the clock.</remarks>
internal static class MappedAppend
{
    private const string Ours = "mapped tail";
    private const string Copy = "copying alone";
    private const int FasterLogMemoryBits = 26;

    public static Row Row { get; } = new("append-mapped", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        foreach (var size in BodySize.Both.Where(s => run.Wants(Id(s))))
        {
            var events = size == BodySize.Small ? run.Pick(300_000, 1_000_000) : run.Pick(60_000, 300_000);
            var folder = run.Scratch.Folder("append-mapped");
            using var faster = FasterLogPeer.InMemory(folder, FasterLogMemoryBits);
            faster.Enqueue(size, (1 << FasterLogMemoryBits) / size.Bytes);
            using var target = new TouchedMemory(events * size.FrameBytes);
            var found = Rounds.Compare(Rounds.WarmupsOfCode, run.Pick(7, 11),
                MappedRound.Of(Ours, folder, size, events, tail =>
                {
                    for (var i = 0; i < events; i++)
                    {
                        tail.Append(size.Single(i));
                    }
                }),
                Side.Rate(faster.Name, events, () => faster.Enqueue(size, events)),
                Side.Rate(Copy, events, () =>
                {
                    for (var i = 0; i < events; i++)
                    {
                        size.Single(i).Bytes.Span.CopyTo(target.Bytes(i * size.FrameBytes, size.FrameBytes));
                    }
                }));
            yield return new Figure
            {
                Id = Id(size),
                Title = $"mapped tail, one event at a time, vs FasterLog enqueue with checksum, {size}",
                Unit = Unit.Times,
                Goal = size == BodySize.Small ? Goal.AtLeast(1.5, 2.5) : Goal.AtLeast(1.0, 1.5),
                Value = found.Ratio(Ours, faster.Name),
                Detail = UnitText.Text($"{found.Describe(Ours, faster.Name, UnitText.PerSecond)}; copying each event alone, into memory that is there, {UnitText.PerSecond(found.Median(Copy))}"),
            };
            Scratch.Remove(folder);
        }
    }

    private static string Id(BodySize size) => $"append-mapped.{size.Bytes}";
}
