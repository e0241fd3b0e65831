using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Servers.Rows;

/// <summary>One kind of work on all servers, in turn, and how ours does against the best of its class.</summary>
internal static class Compared
{
    public static IEnumerable<Figure> Rates(
        Run run, string id, string work, RunningServers servers, Func<EventServer, double> rate, Func<EventServer, string> remark)
    {
        var found = Rounds.Compare(1, run.Pick(3, 5), [.. servers.All.Select(s => new Side(s.Name, () => rate(s)))]);
        foreach (var server in servers.All)
        {
            yield return new Figure
            {
                Id = $"{id}.{server.Name}",
                Title = $"{server.Name}: {work}",
                Unit = Unit.PerSecond,
                Value = found.Median(server.Name),
                Detail = $"{remark(server)}; {found.Spread(server.Name, UnitText.PerSecond)}",
            };
        }

        var best = servers.InOurClass.MaxBy(s => found.Median(s.Name));
        yield return new Figure
        {
            Id = $"{id}.lead",
            Title = $"{work}: ours vs the best of those that also sync first",
            Unit = Unit.Times,
            Goal = Goal.AtLeast(1),
            Value = best is null ? null : found.Ratio(servers.Ours.Name, best.Name),
            Detail = best is null ? "none of them is installed here" : found.Describe(servers.Ours.Name, best.Name, UnitText.PerSecond),
        };
    }
}
