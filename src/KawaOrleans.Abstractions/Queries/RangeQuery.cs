namespace KawaOrleans;

/// <summary>A range of a log's positions, [<see cref="From"/>, <see cref="To"/>), filtered and limited.</summary>
[GenerateSerializer, Immutable, Alias("kawa.range-query")]
public sealed record RangeQuery
{
    /// <summary>The first position; 0 unless set.</summary>
    [Id(0)]
    public long From { get; init; }

    /// <summary>The position behind the last; what is committed when the query is planned unless set, and never beyond it.</summary>
    [Id(1)]
    public long To { get; init; } = long.MaxValue;

    /// <summary>Which events; all unless set.</summary>
    [Id(2)]
    public EventFilter? Filter { get; init; }

    /// <summary>At most so many events, the first ones in position order; unbounded unless set.</summary>
    [Id(3)]
    public long Limit { get; init; } = long.MaxValue;

    /// <summary>The position below which the log must be known where this is answered: what the asker has seen of it. A plan does not end before it for want
    /// of a replica that knows so much; a segment's aggregation is as <see cref="ReadRequest.AtLeast"/> says. 0 unless set.</summary>
    [Id(4)]
    public long AtLeast { get; init; }

    /// <summary>The log that <see cref="AtLeast"/> was seen of: for another one that has its name by now it does not count. Null: for whichever has the name.</summary>
    [Id(5)]
    public Guid? LogId { get; init; }
}

/// <summary>Where the parts of a range lie.</summary>
[GenerateSerializer, Immutable, Alias("kawa.range-plan")]
public sealed record RangePlan
{
    /// <summary>The chain version the plan was made from.</summary>
    [Id(0)]
    public required long ChainVersion { get; init; }

    /// <summary>The first position of the range that the log has.</summary>
    [Id(1)]
    public required long From { get; init; }

    /// <summary>The end of the range, not beyond what was committed.</summary>
    [Id(2)]
    public required long To { get; init; }

    /// <summary>The parts in position order, without holes.</summary>
    [Id(3)]
    public required IReadOnlyList<RangeSlice> Slices { get; init; }

    /// <summary>The log that was planned: another one may have the name by the time the plan is read.</summary>
    [Id(4)]
    public required Guid LogId { get; init; }
}

/// <summary>One segment's part of a range: positions [<paramref name="From"/>, <paramref name="To"/>).</summary>
/// <param name="SegmentId">The segment.</param>
/// <param name="Nodes">The nodes to ask, the primary first; each has all of the slice, or says that it is behind.</param>
/// <param name="From">The first position.</param>
/// <param name="To">The position behind the last.</param>
[GenerateSerializer, Immutable, Alias("kawa.range-slice")]
public sealed record RangeSlice(
    [property: Id(0)] Guid SegmentId, [property: Id(1)] IReadOnlyList<string> Nodes, [property: Id(2)] long From, [property: Id(3)] long To);
