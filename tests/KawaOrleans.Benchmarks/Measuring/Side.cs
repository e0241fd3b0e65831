using System.Diagnostics;

namespace KawaOrleans.Benchmarks.Measuring;

/// <summary>One side of a comparison.</summary>
/// <param name="Name">How the report calls it.</param>
/// <param name="Round">Does the work once and answers what is compared: units per second, or seconds.</param>
internal sealed record Side(string Name, Func<Sample> Round)
{
    /// <summary>A side that measures itself by the clock.</summary>
    public Side(string name, Func<double> round)
        : this(name, () => new Sample(round()))
    {
    }

    /// <summary>A side whose whole round is timed and stays on its thread; its value is units per second.</summary>
    public static Side Rate(string name, double units, Action work) => new(name, () => Sample.Rate(units, work));

    /// <summary>The same for work that waits for the disk or for others: by the clock only.</summary>
    public static Side WaitingRate(string name, double units, Func<Task> work) => new(name, () =>
    {
        var started = Stopwatch.GetTimestamp();
        Task.Run(work).GetAwaiter().GetResult();
        return units / Stopwatch.GetElapsedTime(started).TotalSeconds;
    });
}
