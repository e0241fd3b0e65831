namespace KawaOrleans.Server.Queries;

/// <summary>The aggregations this silo knows, by name.</summary>
internal sealed class AggregationRegistry
{
    private readonly Dictionary<string, IEventAggregation> _byName = new(StringComparer.Ordinal);

    public AggregationRegistry(IEnumerable<IEventAggregation> registered)
    {
        foreach (var aggregation in registered)
        {
            _byName[aggregation.Name] = aggregation;
        }
    }

    /// <exception cref="RequestRefusedException">No such aggregation; the message lists those there are.</exception>
    public IEventAggregation Get(string? name) =>
        name is not null && _byName.TryGetValue(name, out var found)
            ? found
            : throw new RequestRefusedException(
                $"There is no aggregation '{name}'. Registered here: {string.Join(", ", _byName.Keys.Order(StringComparer.Ordinal))}.");
}
