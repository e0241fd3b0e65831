using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>Rounds on the mapped tail: each on a new segment, whose making is not timed.</summary>
internal static class MappedRound
{
    /// <summary>How long the engine has to supply the first pages: what is measured is a log at work, not its first milliseconds.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(50);

    public static Side Of(string name, string folder, BodySize size, int events, Action<MappedWriter> append)
    {
        var made = 0;
        return new Side(name, () =>
        {
            var round = Path.Combine(folder, $"round-{made++}");
            Directory.CreateDirectory(round);
            Sample taken;
            using (var segment = Segments.Create(round, Segments.FileBytesFor(size, events)))
            {
                var tail = MappedTail.Open(segment);
                Thread.Sleep(Settling);
                taken = Sample.Rate(events, () => append(tail));
            }

            Scratch.Remove(round);
            return taken;
        });
    }
}
