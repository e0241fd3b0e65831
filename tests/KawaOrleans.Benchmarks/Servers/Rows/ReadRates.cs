using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Servers.Rows;

/// <summary>Events per second out of each server, in order, from the first on.</summary>
internal static class ReadRates
{
    public static Row Row { get; } = new("read.all", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var events = run.Pick(100_000, 1_000_000);
        var servers = RunningServers.Of(run);
        foreach (var server in servers.All)
        {
            server.FillTo(events);
        }

        return Compared.Rates(
            run,
            "read.all",
            $"{events / 1000} k events read in order, decoded",
            servers,
            s => Side.WaitingRate(s.Name, events, async () => Expect.Count(events, await s.ReadAsync(events))).Round().Value,
            s => $"holds {s.Events} events");
    }
}
