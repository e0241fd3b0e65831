namespace KawaOrleans.Client;

/// <summary>What a reader wants of a log.</summary>
internal sealed class Stretch
{
    /// <summary>The first position wanted.</summary>
    public long From { get; set; }

    /// <summary>The position behind the last one wanted.</summary>
    public long To { get; set; } = long.MaxValue;

    /// <summary>Which events; null for all.</summary>
    public EventFilter? Filter { get; init; }

    /// <summary>True to wait for what is not committed yet.</summary>
    public bool Follow { get; init; }

    /// <summary>How many events are still wanted. Whoever takes them out of the blocks counts it down.</summary>
    public long Wanted { get; set; } = long.MaxValue;
}
