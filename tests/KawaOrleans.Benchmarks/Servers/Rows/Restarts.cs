using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Servers.Rows;

/// <summary>From the start of a server that was killed to the first event it acknowledges.</summary>
internal static class Restarts
{
    public static Row Row { get; } = new("restart", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        foreach (var server in RunningServers.Of(run).All)
        {
            server.FillTo(run.Pick(200_000, 1_000_000));
            var events = server.Events;
            var taken = Enumerable.Range(0, run.Pick(1, 3)).Select(_ => server.Restart().TotalSeconds).ToList();
            yield return new Figure
            {
                Id = $"restart.{server.Name}",
                Title = $"{server.Name}: killed, started, first accepted write",
                Unit = Unit.Seconds,
                Value = Comparison.MedianOf(taken),
                Detail = $"with {events} events; {string.Join(", ", taken.Select(UnitText.Seconds))}",
            };
        }
    }
}
