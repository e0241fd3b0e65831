using System.Runtime;

namespace KawaOrleans.Silo.Memory;

/// <summary>Gives back the memory that a load left behind, once the silo has nothing to do. The collector by itself looks again only when more is wanted,
/// which may be never.</summary>
internal sealed partial class IdleMemory(TimeProvider time, ILogger<IdleMemory> logger) : BackgroundService
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(10);

    /// <summary>So many looks in a row. Pool threads end when they had no work for 20 seconds; until then the shared pools' arrays stay with them.</summary>
    private const int QuietLooks = 4;

    /// <summary>A silo that nobody calls allocates less than this between two looks.</summary>
    private const long QuietBytes = 8 << 20;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(BetweenLooks, time);
        var (allocated, quiet) = (GC.GetTotalAllocatedBytes(), QuietLooks);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var before = allocated;
            allocated = GC.GetTotalAllocatedBytes();
            quiet = allocated - before < QuietBytes ? quiet + 1 : 0;

            // Once after each load: a pause that nobody waits for.
            if (quiet == QuietLooks)
            {
                var had = Environment.WorkingSet;

                // Pools let go, as finalizers, what nobody wanted between two collections.
                for (var round = 0; round < 2; round++)
                {
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                }

                GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                LogGivenBack(had >> 20, Environment.WorkingSet >> 20);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Idle: gave memory back, {Before} MiB resident before, {After} MiB after")]
    private partial void LogGivenBack(long before, long after);
}
