using MemoryPack;

namespace KawaOrleans.Storage;

/// <summary>One start of a node on its data directory.</summary>
/// <param name="Number">Counts the starts, from 1.</param>
/// <param name="Token">Drawn for it: tells the starts of two copies of one directory apart.</param>
[MemoryPackable(GenerateType.VersionTolerant)]
public sealed partial record NodeStart([property: MemoryPackOrder(0)] long Number, [property: MemoryPackOrder(1)] Guid Token);
