using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Cluster.Rows;

/// <summary>One event of a hundred, chosen by its type: by the silo, or by the client out of all.</summary>
internal static class FilteredQuery
{
    private const string Silo = "silo";
    private const string Client = "client";

    public static Row Row { get; } = new("query.filter", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        _ = OneSilo.Of(run);
        var filled = FilledLog.Of(run);
        var query = new RangeQuery { Filter = new EventFilter { Types = [FilledLog.RareType] } };
        var found = Rounds.Compare(
            1,
            run.Pick(3, 5),
            Side.WaitingRate(Silo, filled.Events, async () => Expect.Count(filled.RareEvents, await CountAsync(filled.Log.QueryAsync(query)))),
            Side.WaitingRate(Client, filled.Events, async () => Expect.Count(filled.RareEvents, await CountAsync(filled.Log.ReadAsync()))));
        yield return new Figure
        {
            Id = "query.filter.1-percent",
            Title = "a type that 1 % of the events have: filtered by the silo vs by the client",
            Unit = Unit.Times,
            Goal = Goal.AtLeast(5, 15),
            Value = found.Ratio(Silo, Client),
            Detail = found.Describe(Silo, Client, UnitText.PerSecond),
        };
    }

    private static async Task<int> CountAsync(IAsyncEnumerable<RecordedEvent> events)
    {
        var count = 0;
        await foreach (var e in events)
        {
            count += e.Type == FilledLog.RareType ? 1 : 0;
        }

        return count;
    }
}
