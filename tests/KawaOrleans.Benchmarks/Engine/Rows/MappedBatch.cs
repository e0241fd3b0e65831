using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>Batches of a thousand into a segment whose pages are there, against copying the same blocks into memory that is there.</summary>
internal static class MappedBatch
{
    private const string Ours = "mapped tail";
    private const string Limit = "memcpy";

    public static Row Row { get; } = new("batch-mapped", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        foreach (var size in BodySize.Both.Where(s => run.Wants(Id(s))))
        {
            // Within what the engine supplies before the first append, so that its pages are there, as those of the target are.
            var batches = (int)((24L << 20) / size.Batch.Bytes.Length);
            var events = batches * BodySize.BatchEvents;
            var folder = run.Scratch.Folder("batch-mapped");
            using var target = new TouchedMemory(batches * size.Batch.Bytes.Length);
            var found = Rounds.Compare(Rounds.WarmupsOfCode, run.Pick(9, 15),
                MappedRound.Of(Ours, folder, size, events, tail =>
                {
                    for (var i = 0; i < batches; i++)
                    {
                        tail.Append(size.Batch);
                    }
                }),
                Side.Rate(Limit, events, () =>
                {
                    for (var i = 0; i < batches; i++)
                    {
                        size.Batch.Bytes.Span.CopyTo(target.Bytes(i * size.Batch.Bytes.Length, size.Batch.Bytes.Length));
                    }
                }));
            yield return new Figure
            {
                Id = Id(size),
                Title = $"batch of 1,000 into a prepared segment, vs memcpy of the same blocks, {size}",
                Unit = Unit.Times,
                Goal = Goal.AtLeast(0.6, 0.8),
                Value = found.Ratio(Ours, Limit),
                Detail = found.Describe(Ours, Limit, UnitText.PerSecond),
            };
            Scratch.Remove(folder);
        }
    }

    private static string Id(BodySize size) => $"batch-mapped.{size.Bytes}";
}
