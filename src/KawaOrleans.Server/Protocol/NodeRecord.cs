using MemoryPack;

namespace KawaOrleans.Server.Protocol;

/// <summary>The one start under which a node's name may vote now, as the chain store has it: one record a node, so that nodes that start
/// together do not collide.</summary>
/// <param name="NodeId">The data directory.</param>
/// <param name="Start">Counts that directory's starts.</param>
/// <param name="Token">Drawn for the start.</param>
[GenerateSerializer, Immutable, MemoryPackable(GenerateType.VersionTolerant)]
internal sealed partial record NodeRecord(
    [property: Id(0), MemoryPackOrder(0)] Guid NodeId,
    [property: Id(1), MemoryPackOrder(1)] long Start,
    [property: Id(2), MemoryPackOrder(2)] Guid Token);
