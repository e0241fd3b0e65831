using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Cluster.Rows;

/// <summary>What the others are shares of. They measure their limit again, in turn with themselves.</summary>
internal static class FrameworkLimits
{
    public static Row Row { get; } = new("limit", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var cluster = OneSilo.Of(run);
        var rounds = run.Pick(3, 5);
        foreach (var callers in SingleAppend.CallerCounts.Where(callers => run.Wants($"limit.no-op.{callers}")))
        {
            yield return Of($"limit.no-op.{callers}", $"no-op grain calls, {callers} {(callers == 1 ? "caller" : "callers")}", Unit.PerSecond, Rounds.Compare(1, rounds, FrameworkLimit.NoOp(cluster, run, callers)), FrameworkLimit.NoOpName);
        }

        var blocks = UnitText.Text($"blocks of {FrameworkLimit.BlockBytes >> 10} KiB, {FrameworkLimit.BlocksInFlight} in flight");
        if (run.Wants("limit.block-put"))
        {
            yield return Of("limit.block-put", $"{blocks}, into a silo", Unit.GibibytesPerSecond, Rounds.Compare(1, rounds, FrameworkLimit.Put(cluster, run)), FrameworkLimit.PutName);
        }

        if (run.Wants("limit.block-get"))
        {
            yield return Of("limit.block-get", $"{blocks}, out of a silo", Unit.GibibytesPerSecond, Rounds.Compare(1, rounds, FrameworkLimit.Get(cluster, run)), FrameworkLimit.GetName);
        }

        if (run.Wants("limit.sync"))
        {
            var sync = FrameworkLimit.Sync(run);
            yield return Of("limit.sync", "4 KiB written and synced", Unit.Seconds, Rounds.Compare(1, rounds, sync), sync.Name);
        }
    }

    private static Figure Of(string id, string title, Unit unit, Comparison found, string side) => new()
    {
        Id = id, Title = title, Unit = unit, Value = found.Median(side), Detail = found.Spread(side, v => unit.Write(v)),
    };
}
