using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Failover.Rows;

/// <summary>Appends to a log of three replicas while one of its nodes heals as fast as it may by default, and while it does not, in turn.</summary>
internal static class HealingUnderLoad
{

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    public static Row Row { get; } = new("heal.load", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        if (run.Wants("heal.load.batch"))
        {
            yield return Compare(run, "heal.load.batch", "durable batches of 1,000, 8 callers", 8, static () => SampleEvents.Batch(), SampleEvents.BatchEvents);
        }

        if (run.Wants("heal.load.single"))
        {
            yield return Compare(run, "heal.load.single", "single durable appends, 64 callers", 64, static () => SampleEvents.Single(), 1);
        }
    }

    private static Figure Compare(Run run, string id, string title, int callers, Func<EventBatch> batch, int events)
    {
        var replicas = LostReplicas.Of(run);
        var (with, without) = (new List<double>(), new List<double>());
        var cutShort = 0;
        for (var round = 0; round < run.Pick(2, 5); round++)
        {
            replicas.Lose(healingBytesPerSecond: null);
            LostReplicas.Until(() => replicas.IsCopying);

            // A process that has just started is slow for itself: that is not what is asked.
            _ = Callers.Rate(callers, WarmUp, Append(replicas.Cluster, batch), events);
            with.Add(Callers.Rate(callers, run.RoundTime, Append(replicas.Cluster, batch), events));
            cutShort += replicas.IsCopying ? 0 : 1;
            LostReplicas.Until(() => replicas.AreWhole);
            without.Add(Callers.Rate(callers, run.RoundTime, Append(replicas.Cluster, batch), events));
        }

        var ratios = with.Zip(without, static (one, other) => one / other).ToList();
        var quick = run.Quick ? "; quick: replicas of 128 MiB at most" : "";
        return new Figure
        {
            Id = id, Title = $"{title}, 3/2, while a node of theirs heals below its limit, vs without", Unit = Unit.Times,
            Goal = Goal.AtLeast(0.7), Value = Comparison.MedianOf(ratios),
            Detail = $"with {UnitText.PerSecond(Comparison.MedianOf(with))}, without {UnitText.PerSecond(Comparison.MedianOf(without))}; {Comparison.Spread(ratios)}; "
                + $"{cutShort} of {with.Count} rounds outlasted the healing{quick}",
        };
    }

    /// <summary>Appends to a log of its own, which lies on all three silos.</summary>
    private static Func<int, Task> Append(ThreeSilos cluster, Func<EventBatch> batch)
    {
        var (log, _) = cluster.NewReplicatedLog();
        return _ => log.AppendAsync(batch());
    }
}
