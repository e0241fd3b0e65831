namespace KawaOrleans;

/// <summary>A registered aggregation over a range.</summary>
[GenerateSerializer, Immutable, Alias("kawa.aggregation-query")]
public sealed record AggregationQuery
{
    /// <summary>The name it is registered under. Always there: <c>count</c>, <c>bytes</c>, <c>by-type</c>, <c>by-stream-prefix</c>, <c>by-hour</c>.</summary>
    [Id(0)]
    public required string Name { get; init; }

    /// <summary>An argument of the aggregation's own. For <c>by-stream-prefix</c> the character that ends the prefix, <c>-</c> unless set;
    /// for <c>by-hour</c> which time, <c>recorded</c> unless set, or <c>occurred</c>.</summary>
    [Id(1)]
    public string? Argument { get; init; }

    /// <summary>Over which events; all unless set. Its limit must not be set.</summary>
    [Id(2)]
    public RangeQuery Range { get; init; } = new();
}

/// <summary>What an aggregation found.</summary>
[GenerateSerializer, Immutable, Alias("kawa.aggregation-result")]
public sealed record AggregationResult
{
    /// <summary>The values by key; <c>count</c> and <c>bytes</c> have the one key <c>total</c>.</summary>
    [Id(0)]
    public required IReadOnlyDictionary<string, long> Values { get; init; }

    /// <summary>How many events were folded.</summary>
    [Id(1)]
    public required long Events { get; init; }

    /// <summary>The first position looked at.</summary>
    [Id(2)]
    public required long From { get; init; }

    /// <summary>The position behind the last one looked at.</summary>
    [Id(3)]
    public required long To { get; init; }
}
