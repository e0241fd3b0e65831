using System.Diagnostics;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Failover.Rows;

/// <summary>A node whose replicas are gone, in a cluster that does nothing else: how fast do they come back?</summary>
internal static class HealedReplica
{
    private const long NoLimit = 1L << 40;

    public static Row Row { get; } = new("heal.idle", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var replicas = LostReplicas.Of(run);
        var (rates, all) = (new List<double>(), new List<double>());
        for (var round = 0; round < run.Pick(2, 5); round++)
        {
            replicas.Lose(NoLimit);
            LostReplicas.Until(() => replicas.IsCopying);
            var began = Stopwatch.GetTimestamp();

            // The smaller ones come before it. It has its name when it is whole, sealed and synced.
            LostReplicas.Until(() => replicas.IsLargestBegun);
            var begunLargest = Stopwatch.GetTimestamp();
            LostReplicas.Until(() => replicas.IsLargestWhole);
            rates.Add(replicas.Largest.FileBytes / Stopwatch.GetElapsedTime(begunLargest).TotalSeconds);
            LostReplicas.Until(() => replicas.AreWhole);
            all.Add(replicas.Bytes / Stopwatch.GetElapsedTime(began).TotalSeconds);
        }

        var quick = run.Quick ? "; quick: not the 256 MiB that are asked for" : "";
        yield return new Figure
        {
            Id = "heal.idle", Title = UnitText.Text($"a replica of {replicas.Largest.FileBytes >> 20} MiB is copied anew, verified, sealed and synced, without a limit"),
            Unit = Unit.GibibytesPerSecond, Goal = Goal.AtLeast(200 << 20), Value = Comparison.MedianOf(rates),
            Detail = $"from the copy's first byte until it has its place: {Say(rates)}; with the smaller ones before it, by a process that has just started: {Say(all)}{quick}",
        };
    }

    private static string Say(IEnumerable<double> rates) => string.Join(", ", rates.Order().Select(rate => UnitText.Text($"{rate / (1 << 20):0}"))) + " MiB/s";
}
