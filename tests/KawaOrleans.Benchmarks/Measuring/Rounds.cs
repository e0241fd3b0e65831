namespace KawaOrleans.Benchmarks.Measuring;

/// <summary>Measures several sides in turn: all of them in every round, so that what disturbs the machine for longer than a
/// round disturbs all alike.</summary>
internal static class Rounds
{
    /// <summary>Warm-ups for rounds of some milliseconds on one thread: the runtime compiles what runs often twice more, each time some calls and
    /// a pause after the time before. With three or eight of them the scan was measured at half its speed; more do not always suffice.</summary>
    public const int WarmupsOfCode = 14;

    /// <summary>How long the runtime is given between warming up and measuring to swap in optimised code.</summary>
    private static readonly TimeSpan TierUp = TimeSpan.FromMilliseconds(150);

    /// <param name="warmups">Rounds thrown away first.</param>
    /// <param name="rounds">Rounds counted.</param>
    /// <param name="sides">What to compare. Every other round takes them in reverse, so that none is always the first.</param>
    public static Comparison Compare(int warmups, int rounds, params IReadOnlyList<Side> sides)
    {
        for (var i = 0; i < warmups; i++)
        {
            foreach (var side in sides)
            {
                _ = Once(side);
            }

            Thread.Sleep(TierUp);
        }

        var values = sides.ToDictionary(s => s.Name, _ => new Sample[rounds]);
        for (var i = 0; i < rounds; i++)
        {
            foreach (var side in i % 2 == 0 ? sides : sides.Reverse())
            {
                values[side.Name][i] = Once(side);
            }
        }

        return new Comparison(values);
    }

    private static Sample Once(Side side)
    {
        // One side's garbage is not collected on the other's time.
        GC.Collect();
        return side.Round();
    }
}
