using KawaOrleans.Storage.Volumes;
using MemoryPack;

namespace KawaOrleans.Storage;

/// <summary>A chain as a node keeps it; the content is opaque to the engine.</summary>
/// <param name="LogId">The log's id.</param>
/// <param name="LogName">The log's name.</param>
/// <param name="Version">The chain's version.</param>
/// <param name="Content">The chain.</param>
[MemoryPackable(GenerateType.VersionTolerant)]
public sealed partial record SavedChain(
    [property: MemoryPackOrder(0)] Guid LogId,
    [property: MemoryPackOrder(1)] string LogName,
    [property: MemoryPackOrder(2)] long Version,
    [property: MemoryPackOrder(3)] ReadOnlyMemory<byte> Content)
{
    internal const string FileName = "chain";

    internal static SavedChain? Load(IVolume volume, string logFolder) =>
        Nodes.SyncedRecord.Read(volume, Path.Combine(logFolder, FileName)) is { } record ? MemoryPackSerializer.Deserialize<SavedChain>(record) : null;

    internal void Save(IVolume volume, string logFolder) =>
        Nodes.SyncedRecord.Write(volume, Path.Combine(logFolder, FileName), MemoryPackSerializer.Serialize(this));
}
