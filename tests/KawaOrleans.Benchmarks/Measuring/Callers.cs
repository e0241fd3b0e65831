using System.Diagnostics;

namespace KawaOrleans.Benchmarks.Measuring;

/// <summary>Callers that each wait for an answer before they ask again.</summary>
internal static class Callers
{
    /// <summary>Calls per second by so many callers in so much time, the wait for the last answers included.</summary>
    /// <param name="callers">How many.</param>
    /// <param name="time">How long new calls are made.</param>
    /// <param name="call">One call; is given the caller's number.</param>
    /// <param name="units">What one call counts for.</param>
    public static double Rate(int callers, TimeSpan time, Func<int, Task> call, double units = 1)
    {
        var calls = 0L;
        var started = Stopwatch.GetTimestamp();
        Run(callers, async caller =>
        {
            var mine = 0L;
            do
            {
                await call(caller);
                mine++;
            }
            while (Stopwatch.GetElapsedTime(started) < time);

            Interlocked.Add(ref calls, mine);
        });
        return calls * units / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Units per second by so many callers that work once, each for as long as it wants, and answer how many units that was.</summary>
    public static double Rate(int callers, Func<int, Task<double>> work)
    {
        var units = 0.0;
        var gate = new Lock();
        var started = Stopwatch.GetTimestamp();
        Run(callers, async caller =>
        {
            var mine = await work(caller);
            lock (gate)
            {
                units += mine;
            }
        });
        return units / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>How long each of the calls took, in seconds, sorted.</summary>
    public static double[] Times(int callers, TimeSpan time, Func<int, Task> call)
    {
        var taken = new List<double>[callers];
        var started = Stopwatch.GetTimestamp();
        Run(callers, async caller =>
        {
            var mine = taken[caller] = [];
            do
            {
                var began = Stopwatch.GetTimestamp();
                await call(caller);
                mine.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
            }
            while (Stopwatch.GetElapsedTime(started) < time);
        });
        return [.. taken.SelectMany(t => t).Order()];
    }

    /// <summary>The median of how long one caller's calls take, one after another, in seconds.</summary>
    public static double MedianSeconds(int times, Func<Task> call) => Wait.For(async () =>
    {
        var taken = new double[times];
        for (var i = 0; i < times; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await call();
            taken[i] = Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        return Comparison.MedianOf(taken);
    });

    public static double Percentile(double[] sorted, double share) => sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];

    private static void Run(int callers, Func<int, Task> caller) =>
        Task.WhenAll(Enumerable.Range(0, callers).Select(n => Task.Run(() => caller(n)))).GetAwaiter().GetResult();
}
