namespace KawaOrleans.Server.Protocol;

/// <summary>What a primary says with the write groups that it sends a follower; none, to tell what is committed.</summary>
[GenerateSerializer, Immutable]
internal sealed record FollowerAppend
{
    [Id(0)] public required Guid LogId { get; init; }

    [Id(1)] public required Guid SegmentId { get; init; }

    [Id(2)] public required int Generation { get; init; }

    [Id(3)] public required long Epoch { get; init; }

    [Id(4)] public required Guid OpeningId { get; init; }

    /// <summary>Where the first of the groups begins.</summary>
    [Id(5)] public required ReplicaTail From { get; init; }

    /// <summary>What is acknowledged, as far as the primary knows.</summary>
    [Id(6)] public required long Committed { get; init; }
}

/// <summary>What a follower answers.</summary>
/// <param name="OpeningId">The opening whose appends it takes; null while it has taken none.</param>
/// <param name="Tail">What it holds, synced.</param>
/// <param name="Refusal">Why it took nothing, unless it did or the groups did not begin at its tail.</param>
/// <param name="Why">The same in a sentence.</param>
[GenerateSerializer, Immutable]
internal sealed record FollowerAnswer(
    [property: Id(0)] Guid? OpeningId,
    [property: Id(1)] ReplicaTail Tail,
    [property: Id(2)] FollowerRefusal Refusal,
    [property: Id(3)] string? Why);

/// <summary>Why a follower takes nothing from a primary.</summary>
internal enum FollowerRefusal
{
    /// <summary>It does.</summary>
    None = 0,

    /// <summary>It keeps no chain that lists the segment: tell it, then again.</summary>
    TellChain = 1,

    /// <summary>It was fenced or sealed, or the chain ended the segment: for ever.</summary>
    Ended = 2,

    /// <summary>It follows another opening or another epoch, or is itself the primary: for ever.</summary>
    OtherWriter = 3,
}
