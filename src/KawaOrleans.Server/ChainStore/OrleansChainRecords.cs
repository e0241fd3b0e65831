using KawaOrleans.Server.Protocol;
using MemoryPack;
using Orleans.Runtime;
using Orleans.Storage;

namespace KawaOrleans.Server.ChainStore;

/// <summary>The chain store on any Orleans grain storage that compares ETags. A lost race is null; everything else that fails is a
/// store that is away, and then the outcome of a swap is unknown.</summary>
internal sealed class OrleansChainRecords(IGrainStorage storage, TimeProvider time, TimeSpan? patience = null) : IChainRecords, INodeRecords
{
    private const string ChainState = "chain";
    private const string CatalogueState = "catalogue";
    private const string NodeState = "node";

    // Longer than a healthy store ever takes, shorter than a client waits for the call behind it.
    private static readonly TimeSpan UsualPatience = TimeSpan.FromSeconds(4);

    private static readonly GrainId CatalogueId = GrainId.Create("kawa-catalogue", "0");

    private readonly TimeSpan _patience = patience ?? UsualPatience;

    public Task<Versioned<Chain>?> ReadChain(string logName, CancellationToken cancellation) =>
        Read<Chain>(ChainState, ChainId(logName), cancellation);

    public Task<Versioned<Chain>?> SwapChain(string logName, Versioned<Chain>? expected, Chain next, CancellationToken cancellation) =>
        Swap(ChainState, ChainId(logName), expected, next, cancellation);

    public Task<bool> RemoveChain(string logName, Versioned<Chain> expected, CancellationToken cancellation)
    {
        var id = ChainId(logName);
        var state = new GrainState<ChainRecord>(Encode(expected.Value), expected.Tag) { RecordExists = true };
        return Ask(id, async () =>
        {
            try
            {
                await storage.ClearStateAsync(ChainState, id, state);
                return true;
            }
            catch (InconsistentStateException)
            {
                return false;
            }
        }, cancellation);
    }

    public Task<Versioned<Catalogue>?> ReadCatalogue(CancellationToken cancellation) =>
        Read<Catalogue>(CatalogueState, CatalogueId, cancellation);

    public Task<Versioned<Catalogue>?> SwapCatalogue(Versioned<Catalogue>? expected, Catalogue next, CancellationToken cancellation) =>
        Swap(CatalogueState, CatalogueId, expected, next, cancellation);

    public Task<Versioned<NodeRecord>?> ReadNode(string node, CancellationToken cancellation) =>
        Read<NodeRecord>(NodeState, NodeId(node), cancellation);

    public Task<Versioned<NodeRecord>?> SwapNode(string node, Versioned<NodeRecord>? expected, NodeRecord next, CancellationToken cancellation) =>
        Swap(NodeState, NodeId(node), expected, next, cancellation);

    private static GrainId NodeId(string node) => GrainId.Create("kawa-node", node);

    private static GrainId ChainId(string logName) => GrainId.Create("kawa-chain", logName);

    private static ChainRecord Encode<T>(T value) => new() { Content = MemoryPackSerializer.Serialize(value) };

    private Task<Versioned<T>?> Read<T>(string name, GrainId id, CancellationToken cancellation)
        where T : class => Ask(id, async () =>
    {
        var state = await ReadState(name, id);
        return state.RecordExists ? new Versioned<T>(Decode<T>(id, state.State), TagOf(state)) : null;
    }, cancellation);

    private Task<Versioned<T>?> Swap<T>(string name, GrainId id, Versioned<T>? expected, T next, CancellationToken cancellation)
        where T : class => Ask(id, async () =>
    {
        // Some providers keep the row of a removed record, with an ETag to be compared: read it.
        var state = expected is null ? await ReadState(name, id) : new GrainState<ChainRecord>(new ChainRecord(), expected.Tag) { RecordExists = true };
        if (expected is null && state.RecordExists)
        {
            return null;
        }

        state.State = Encode(next);
        try
        {
            await storage.WriteStateAsync(name, id, state);
            return new Versioned<T>(next, TagOf(state));
        }
        catch (InconsistentStateException)
        {
            return null;
        }
    }, cancellation);

    private static string TagOf(GrainState<ChainRecord> state) => state.ETag
        ?? throw new NotSupportedException("The storage provider gives its records no ETags, so that changes cannot be told apart. Use another one.");

    private async Task<GrainState<ChainRecord>> ReadState(string name, GrainId id)
    {
        var state = new GrainState<ChainRecord>(new ChainRecord());
        await storage.ReadStateAsync(name, id, state);
        return state;
    }

    private static T Decode<T>(GrainId id, ChainRecord? record)
        where T : class
    {
        try
        {
            if (record is not null && MemoryPackSerializer.Deserialize<T>(record.Content) is { } value)
            {
                return value;
            }
        }
        catch (MemoryPackSerializationException e)
        {
            throw Unreadable(id, e);
        }

        throw Unreadable(id, null);
    }

    private static ChainStoreException Unreadable(GrainId id, Exception? inner) => new(
        ChainStoreProblem.Lost,
        $"The chain store's record {id} cannot be decoded: it is not ours, or it was damaged. Restore it, or remove it and rebuild: {RebuildCommand.ForAll}",
        inner);

    private async Task<T> Ask<T>(GrainId id, Func<Task<T>> call, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            return await call().WaitAsync(_patience, time, cancellation);
        }
        catch (Exception e) when (e is not (ChainStoreException or NotSupportedException) && !cancellation.IsCancellationRequested)
        {
            // Without the provider's exception: callers elsewhere do not have its type, and would be told of that instead.
            throw new ChainStoreException(
                ChainStoreProblem.Away, $"The chain store did not do what was asked of record {id}: {e.Message} Whether it did is unknown; read again.");
        }
    }
}
