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
        Decode(Nodes.TwoSlotRecord.ReadDurably(volume, Path.Combine(logFolder, FileName)));

    /// <summary>Reads the chain and changes nothing; null when there is none.</summary>
    internal static SavedChain? Read(IVolume volume, string logFolder) =>
        Decode(Nodes.TwoSlotRecord.Read(volume, Path.Combine(logFolder, FileName)));

    internal void Save(IVolume volume, string logFolder) =>
        Nodes.TwoSlotRecord.Write(volume, Path.Combine(logFolder, FileName), Version, MemoryPackSerializer.Serialize(this));

    private static SavedChain? Decode(byte[]? record) => record is null ? null : MemoryPackSerializer.Deserialize<SavedChain>(record);
}
