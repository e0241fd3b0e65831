using KawaOrleans.Storage.Volumes;
using MemoryPack;

namespace KawaOrleans.Storage;

/// <summary>Who a data directory is.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Id">Made with the directory.</param>
/// <param name="Cookie">The cluster it joined; null before.</param>
[MemoryPackable(GenerateType.VersionTolerant)]
public sealed partial record NodeIdentity(
    [property: MemoryPackOrder(0)] string Name,
    [property: MemoryPackOrder(1)] Guid Id,
    [property: MemoryPackOrder(2)] Guid? Cookie)
{
    internal const string FileName = "node";

    /// <summary>What the chain store may have of this directory: the start that was registered last, then each later one that was about to be.
    /// Empty before the first.</summary>
    [MemoryPackOrder(3)]
    public IReadOnlyList<NodeStart> Starts { get; init; } = [];

    /// <summary>Reads the identity, or gives a blank directory one.</summary>
    internal static NodeIdentity Load(IVolume volume, string directory, string name)
    {
        var path = Path.Combine(directory, FileName);
        var record = Nodes.SyncedRecord.Read(volume, path);
        if (record is null)
        {
            if (volume.Directories(Path.Combine(directory, NodeStore.LogsFolder)).Count > 0)
            {
                throw new ForeignDirectoryException(directory, $"it holds logs but no '{FileName}' file, so whose it is is unknown. Restore that file, or name another directory.");
            }

            var made = new NodeIdentity(name, Guid.NewGuid(), Cookie: null);
            made.Save(volume, directory);
            return made;
        }

        var found = MemoryPackSerializer.Deserialize<NodeIdentity>(record)!;
        return found.Name == name
            ? found
            : throw new ForeignDirectoryException(directory, $"it belongs to node '{found.Name}', not to '{name}'. Start the silo under that name, or name another directory.");
    }

    /// <summary>Reads the identity and changes nothing; null when there is none.</summary>
    internal static NodeIdentity? Read(IVolume volume, string directory) =>
        Nodes.SyncedRecord.Read(volume, Path.Combine(directory, FileName)) is { } record ? MemoryPackSerializer.Deserialize<NodeIdentity>(record) : null;

    internal void Save(IVolume volume, string directory) =>
        Nodes.SyncedRecord.Write(volume, Path.Combine(directory, FileName), MemoryPackSerializer.Serialize(this));
}
