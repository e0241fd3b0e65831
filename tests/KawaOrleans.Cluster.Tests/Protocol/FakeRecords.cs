using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.Protocol;

/// <summary>The records themselves, shared by every changer's view of them.</summary>
internal sealed class StoredRecords
{
    private long _tags;

    public Dictionary<string, Versioned<Chain>> Chains { get; set; } = [];

    public Versioned<Catalogue>? Catalogue { get; set; }

    public Dictionary<string, Versioned<NodeRecord>> Nodes { get; } = [];

    public bool IsAway { get; set; }

    public int CatalogueSwaps { get; private set; }

    /// <summary>Called with the chain before and after each swap that won.</summary>
    public Action<Chain?, Chain> OnSwapped { get; set; } = (_, _) => { };

    /// <summary>Called when a request is lost, with false, or an answer, with true.</summary>
    public Action<bool> OnLost { get; set; } = _ => { };

    public Versioned<T> Tagged<T>(T value) => new(value, $"tag {++_tags}");

    public Versioned<Chain>? Swap(string logName, Versioned<Chain>? expected, Chain next)
    {
        if (Chains.GetValueOrDefault(logName)?.Tag != expected?.Tag)
        {
            return null;
        }

        var record = Tagged(next);
        Chains[logName] = record;
        OnSwapped(expected?.Value, next);
        return record;
    }

    public Versioned<NodeRecord>? Swap(string node, Versioned<NodeRecord>? expected, NodeRecord next) =>
        Nodes.GetValueOrDefault(node)?.Tag == expected?.Tag ? Nodes[node] = Tagged(next) : null;

    public bool Remove(string logName, Versioned<Chain> expected) =>
        Chains.GetValueOrDefault(logName)?.Tag == expected.Tag && Chains.Remove(logName);

    public Versioned<Catalogue>? Swap(Versioned<Catalogue>? expected, Catalogue next)
    {
        CatalogueSwaps++;
        return Catalogue?.Tag == expected?.Tag ? Catalogue = Tagged(next) : null;
    }
}

/// <summary>One changer's way to the records: a lost request has no effect, a lost answer has.</summary>
internal sealed class FakeRecords(World world, StoredRecords stored, Func<bool> isDead) : IChainRecords, INodeRecords
{
    public Task<Versioned<Chain>?> ReadChain(string logName, CancellationToken cancellation) =>
        Ask(() => stored.Chains.GetValueOrDefault(logName));

    public Task<Versioned<Chain>?> SwapChain(string logName, Versioned<Chain>? expected, Chain next, CancellationToken cancellation) =>
        Ask(() => stored.Swap(logName, expected, next));

    public Task<bool> RemoveChain(string logName, Versioned<Chain> expected, CancellationToken cancellation) =>
        Ask(() => stored.Remove(logName, expected));

    public Task<Versioned<Catalogue>?> ReadCatalogue(CancellationToken cancellation) => Ask(() => stored.Catalogue);

    public Task<Versioned<Catalogue>?> SwapCatalogue(Versioned<Catalogue>? expected, Catalogue next, CancellationToken cancellation) =>
        Ask(() => stored.Swap(expected, next));

    public Task<Versioned<NodeRecord>?> ReadNode(string node, CancellationToken cancellation) => Ask(() => stored.Nodes.GetValueOrDefault(node));

    public Task<Versioned<NodeRecord>?> SwapNode(string node, Versioned<NodeRecord>? expected, NodeRecord next, CancellationToken cancellation) =>
        Ask(() => stored.Swap(node, expected, next));

    private async Task<T> Ask<T>(Func<T> act)
    {
        await world.Pause(isDead);
        if (stored.IsAway || world.IsLost())
        {
            stored.OnLost(false);
            throw new ChainStoreException(ChainStoreProblem.Away, "the request was lost");
        }

        var answer = act();
        await world.Pause(isDead);
        if (world.IsLost())
        {
            stored.OnLost(true);
            throw new ChainStoreException(ChainStoreProblem.Away, "the answer was lost");
        }

        return answer;
    }
}
