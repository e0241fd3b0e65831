using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Servers.Rows;

/// <summary>Events per second into each server.</summary>
internal static class AppendRates
{
    private const int BatchesInFlight = 8;

    public static IReadOnlyList<Row> Rows { get; } = [Singles(1), Singles(64), Singles(512), new Row("append.batch", Batches)];

    private static Row Singles(int callers) => new($"append.{callers}", run =>
    {
        var servers = RunningServers.Of(run);
        return Compared.Rates(
            run,
            $"append.{callers}",
            $"single events, {callers} {(callers == 1 ? "caller" : "callers")}",
            servers,
            s => Callers.Rate(callers, run.RoundTime, s.AppendAsync),
            s => s.Acknowledges);
    });

    private static IEnumerable<Figure> Batches(Run run) => Compared.Rates(
        run,
        "append.batch",
        $"events in batches of 1,000, {BatchesInFlight} in flight",
        RunningServers.Of(run),
        s => Callers.Rate(BatchesInFlight, run.RoundTime, s.AppendBatchAsync, SampleEvents.BatchEvents),
        s => $"{s.Batches}; {s.Acknowledges}");
}
