using System.Collections.Concurrent;
using KawaOrleans.Server.Healing;
using KawaOrleans.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace KawaOrleans.Server.Nodes;

/// <summary>Opens the node's data directory before any grain can be called and closes it after the last. The store does blocking
/// file I/O, so everyone reaches it through <see cref="Run{T}"/>, off Orleans' scheduler.</summary>
internal sealed partial class NodeHost(
    IOptions<KawaEventStoreOptions> options, ILocalSiloDetails silo, TimeProvider time, ILogger<NodeHost> logger)
    : ILifecycleParticipant<ISiloLifecycle>
{
    private readonly ConcurrentDictionary<Guid, string> _faults = new();
    private NodeStore? _store;
    private volatile string? _whyNotVoting = "it has not registered with the chain store yet";
    private volatile NodeRefusedException? _refusal;

    /// <summary>Why this node neither answers fences nor prepares, follows or writes segments, or null once it registered. It serves reads and
    /// learns chains all the same.</summary>
    public string? WhyNotVoting => _refusal?.Message ?? _whyNotVoting;

    /// <summary>Why this data directory may not take part at all, or null.</summary>
    public NodeRefusedException? Refusal => _refusal;

    /// <summary>The node's name.</summary>
    public string Name => silo.Name;

    /// <summary>True between start and stop.</summary>
    public bool IsOpen => Volatile.Read(ref _store) is not null;

    /// <summary>The store; only its members that do no I/O may be used on a grain's scheduler.</summary>
    /// <exception cref="NodeUnavailableException">The silo is starting or stopping.</exception>
    public NodeStore Store => Volatile.Read(ref _store) ?? throw new NodeUnavailableException(Name, "it is starting or stopping");

    /// <summary>The chains this node was told of.</summary>
    public SavedChains Chains { get; private set; } = SavedChains.None;

    /// <summary>Segments that failed since the start, and how.</summary>
    public IReadOnlyDictionary<Guid, string> Faults => _faults;

    /// <summary>The chain store has this process's start of the node: it votes.</summary>
    public void Admit() => (_refusal, _whyNotVoting) = (null, null);

    /// <summary>The chain store did not say whether this directory may vote. What it said before stays true.</summary>
    public void Wait(string reason) => _whyNotVoting = _whyNotVoting is null ? null : reason;

    /// <summary>The chain store has another directory, or another copy of this one, under the node's name.</summary>
    public void Refuse(NodeRefusedException refusal) => _refusal = refusal;

    /// <summary>Replicas that are to be read whole.</summary>
    public DoubtedReplicas Doubted { get; } = new();

    /// <summary>Called when a replica here is found to end before its segment does.</summary>
    public Action FoundShort { get; set; } = static () => { };

    /// <summary>Has a replica read whole, unless that could bring nothing: it is not sealed, has no others beside it, or is known to be damaged.</summary>
    public void Doubt(Guid segmentId)
    {
        if (Store.Segments.Any(segment => segment.Header.Identity.Id == segmentId && segment.Header.Ensemble.Count > 1 && segment.State == SegmentState.Sealed)
            && Store.Untrusted.All(file => file.SegmentId != segmentId))
        {
            Doubted.Add(segmentId);
        }
    }

    /// <summary>Remembers that a segment failed, for whoever asks how the node is.</summary>
    public void ReportFault(Guid segmentId, string reason) => _faults[segmentId] = reason;

    /// <summary>Forgets it: the segment's file was replaced by a good one.</summary>
    public void Healed(Guid segmentId) => _faults.TryRemove(segmentId, out _);

    /// <summary>Runs blocking file work off the caller's scheduler.</summary>
    public Task<T> Run<T>(Func<NodeStore, T> work)
    {
        var store = Store;
        return Task.Run(() => work(store));
    }

    public void Participate(ISiloLifecycle observer) => observer.Subscribe<NodeHost>(
        ServiceLifecycleStage.ApplicationServices - 1, _ => Task.Run(Open, CancellationToken.None), _ => Release());

    /// <summary>Closes the data directory. Repeatable.</summary>
    public Task Release() => Task.Run(Close);

    private void Open()
    {
        var directory = Path.GetFullPath(options.Value.DataDirectory);
        var store = NodeStore.Open(directory, Name, time);
        Chains = new SavedChains(store);
        Volatile.Write(ref _store, store);
        LogOpened(Name, store.Identity.Id, directory, store.Segments.Count, store.Untrusted.Count);
        foreach (var file in store.Untrusted)
        {
            LogUntrusted(file.Path, file.Problem);
        }
    }

    private void Close()
    {
        if (Interlocked.Exchange(ref _store, null) is { } store)
        {
            store.Dispose();
            LogClosed(Name);
        }
    }
}
