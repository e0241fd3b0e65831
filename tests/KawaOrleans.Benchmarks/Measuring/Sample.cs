using System.Diagnostics;

namespace KawaOrleans.Benchmarks.Measuring;

/// <summary>What one round of one side found.</summary>
/// <param name="Value">By the clock on the wall; this is judged.</param>
/// <param name="Processor">The same by the measuring thread's processor time, for work that never leaves its thread; this explains.</param>
internal readonly record struct Sample(double Value, double? Processor = null)
{
    /// <summary>Times work that stays on this thread; units per second.</summary>
    public static Sample Rate(double units, Action work)
    {
        var processor = ThreadTime.Now();
        var started = Stopwatch.GetTimestamp();
        work();
        var taken = Stopwatch.GetElapsedTime(started);
        return new Sample(units / taken.TotalSeconds, units / (ThreadTime.Now() - processor)?.TotalSeconds);
    }
}
