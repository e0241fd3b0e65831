using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;

namespace KawaOrleans.Server.Nodes;

/// <summary>A node's starts, as its data directory keeps them and as the rules see them.</summary>
internal static class DirectoryStarts
{
    public static NodeDirectory ToDirectory(this NodeStore store)
    {
        var identity = store.Identity;
        return new NodeDirectory(
            new ChainNode(identity.Name, identity.Id), identity.Cookie, [.. identity.Starts.Select(start => new NodeRecord(identity.Id, start.Number, start.Token))]);
    }

    public static void KeepStarts(this NodeStore store, IReadOnlyList<NodeRecord> starts) =>
        store.KeepStarts([.. starts.Select(start => new NodeStart(start.Start, start.Token))]);
}
