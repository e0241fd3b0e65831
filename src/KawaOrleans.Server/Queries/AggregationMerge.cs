namespace KawaOrleans.Server.Queries;

/// <summary>Runs an aggregation over the slices of a plan, some at a time, and joins what they find. For one scheduler only.</summary>
internal sealed class AggregationMerge(IEventAggregation aggregation)
{
    private const int Parallelism = 16;

    private readonly Dictionary<string, long> _values = new(StringComparer.Ordinal);
    private long _events;

    /// <summary>The first failure ends it: a result without a slice would be wrong.</summary>
    public async Task Run(RangePlan plan, Func<RangeSlice, Task<AggregationResult>> fold, CancellationToken cancellation)
    {
        var slices = new Queue<RangeSlice>(plan.Slices);
        await Task.WhenAll(Enumerable.Range(0, Math.Min(Parallelism, slices.Count)).Select(_ => Work()));

        async Task Work()
        {
            while (slices.TryDequeue(out var slice))
            {
                cancellation.ThrowIfCancellationRequested();
                try
                {
                    Add(await fold(slice));
                }
                catch
                {
                    slices.Clear();
                    throw;
                }
            }
        }
    }

    public AggregationResult Result(RangePlan plan) => new() { Values = _values, Events = _events, From = plan.From, To = plan.To };

    private void Add(AggregationResult part)
    {
        _events += part.Events;
        foreach (var (key, value) in part.Values)
        {
            if (!_values.TryGetValue(key, out var before))
            {
                if (_values.Count == AggregationValues.MaxKeys)
                {
                    throw AggregationValues.TooMany(aggregation.Name);
                }

                _values.Add(key, value);
                continue;
            }

            try
            {
                _values[key] = aggregation.Merge(before, value);
            }
            catch (OverflowException)
            {
                throw new RequestRefusedException($"Aggregation '{aggregation.Name}': the value of '{key}' is beyond 64 bits. Narrow the range.");
            }
        }
    }
}
