namespace KawaOrleans;

/// <summary>The streams that begin in one segment.</summary>
[GenerateSerializer, Immutable, Alias("kawa.stream-list-request")]
public sealed record StreamListRequest
{
    /// <summary>What the names begin with; empty: all.</summary>
    [Id(0)]
    public required string Prefix { get; init; }

    /// <summary>Where to go on: <see cref="StreamListResult.Next"/> of the answer before; 0 unless set.</summary>
    [Id(1)]
    public long From { get; init; }

    /// <summary>At most so many names; 1,000 unless set, at most 10,000.</summary>
    [Id(2)]
    public int MaxNames { get; init; } = 1000;

    /// <summary>The position below which the replica must know everything; see <see cref="ReadRequest.AtLeast"/>. 0 unless set.</summary>
    [Id(3)]
    public long AtLeast { get; init; }
}

/// <summary>Streams of a segment, in the order of their first events.</summary>
/// <param name="Names">The names; may be none although there are more.</param>
/// <param name="Next">Where to go on; −1: there are no more.</param>
[GenerateSerializer, Immutable, Alias("kawa.stream-list-result")]
public sealed record StreamListResult([property: Id(0)] IReadOnlyList<string> Names, [property: Id(1)] long Next);
