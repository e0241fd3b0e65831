namespace KawaOrleans.Server.Protocol;

/// <summary>The end of what a replica holds, synced. Replicas of one segment that have one offset have the same bytes before it.</summary>
/// <param name="Position">The position behind the last event.</param>
/// <param name="Offset">The offset in the file behind the last frame.</param>
[GenerateSerializer, Immutable]
internal readonly record struct ReplicaTail([property: Id(0)] long Position, [property: Id(1)] long Offset);
