using System.Runtime.InteropServices;

namespace KawaOrleans.Benchmarks.Measuring;

/// <summary>The processor time of the calling thread: what a crowded machine cannot take away from a measurement.</summary>
internal static partial class ThreadTime
{
    private const int ThreadCpuClock = 3;

    /// <summary>Null where the system does not tell.</summary>
    public static TimeSpan? Now()
    {
        if (!OperatingSystem.IsLinux() || clock_gettime(ThreadCpuClock, out var time) != 0)
        {
            return null;
        }

        return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0);
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, out Time time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
