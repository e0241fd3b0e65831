using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>One event of a sealed, reopened segment by its position: map and footer, no index in memory.</summary>
internal static class SealedRead
{
    private const string Ours = "sealed read";
    private const int Events = 1_000_000;

    public static Row Row { get; } = new("sealed-read", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        foreach (var size in (run.Quick ? [BodySize.Small] : BodySize.Both).Where(s => run.Wants(Id(s))))
        {
            var folder = run.Scratch.Folder("sealed-read");
            var (filled, _) = Segments.Filled(folder, size, Events);
            filled.Seal(filled.Fence(savedChainVersion: 1).Position);
            filled.WriteFooter();
            var path = filled.Path;
            filled.Dispose();
            using var segment = Segment.OpenReadOnly(path);
            var reads = run.Pick(100_000, 500_000);
            var random = new Random(7);
            var numbers = Enumerable.Range(0, reads).Select(_ => random.Next(Events)).ToArray();
            var found = Rounds.Compare(Rounds.WarmupsOfCode, run.Pick(5, 9), Side.Rate(Ours, reads, () =>
            {
                var sum = 0L;
                foreach (var number in numbers)
                {
                    sum += Segments.ReadOne(segment, number);
                }

                GC.KeepAlive(sum);
            }));
            yield return new Figure
            {
                Id = Id(size),
                Title = $"sealed segment: random read through the persisted sparse index, 1 M events, {size}",
                Unit = Unit.PerSecond,
                Goal = Goal.AtLeast(1e6),
                Value = found.Median(Ours),
                Detail = "one thread, frame checked",
            };
            Scratch.Remove(folder);
        }
    }

    private static string Id(BodySize size) => $"sealed-read.{size.Bytes}";
}
