namespace KawaOrleans.Server.Nodes;

/// <summary>A run of heads that a node can send: the last event of every stream in [From, To).</summary>
[GenerateSerializer, Immutable, Alias("kawa.head-run")]
internal sealed record HeadRunPart([property: Id(0)] long From, [property: Id(1)] long To, [property: Id(2)] long Bytes);
