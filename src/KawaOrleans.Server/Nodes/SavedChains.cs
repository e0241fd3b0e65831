using System.Collections.Concurrent;
using KawaOrleans.Storage;
using MemoryPack;

namespace KawaOrleans.Server.Nodes;

/// <summary>The newest chain of each log that this node was told of: on disk before it is in memory.</summary>
internal sealed class SavedChains
{
    public static readonly SavedChains None = new();

    private readonly ConcurrentDictionary<Guid, Chain> _newest = new();

    private SavedChains()
    {
    }

    public SavedChains(NodeStore store)
    {
        foreach (var saved in store.Chains)
        {
            _newest[saved.LogId] = Decode(saved);
        }
    }

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<Chain> All => [.. _newest.Values];

    /// <summary>The newest of one log, or null.</summary>
    public Chain? Of(Guid logId) => _newest.GetValueOrDefault(logId);

    /// <summary>Keeps a chain, synced, if it is newer than the one kept; answers the newest. Blocking.</summary>
    public Chain Keep(NodeStore store, Chain chain)
    {
        if (Of(chain.LogId) is { } known && known.Version >= chain.Version)
        {
            return known;
        }

        store.SaveChain(new SavedChain(chain.LogId, chain.LogName, chain.Version, MemoryPackSerializer.Serialize(chain)));
        return _newest.AddOrUpdate(chain.LogId, chain, (_, now) => now.Version >= chain.Version ? now : chain);
    }

    private static Chain Decode(SavedChain saved) =>
        MemoryPackSerializer.Deserialize<Chain>(saved.Content.Span)
        ?? throw new StorageException($"The saved chain of log '{saved.LogName}' ({saved.LogId:N}), version {saved.Version}, holds no chain.");
}
