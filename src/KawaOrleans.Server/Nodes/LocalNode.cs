using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Nodes;

/// <summary>What a chain change asks of this node. All of it is blocking file work.</summary>
internal sealed partial class LocalNode(NodeHost host, ILogger<LocalNode> logger)
{
    // Announcements of one log are taken one after another, so that an older one never undoes what a newer one decided.
    private readonly Lock[] _announcing = Locks();

    // A roll that comes while the log's next file is being made waits for that one instead of making a second beside it.
    private readonly Lock[] _making = Locks();

    /// <summary>The replica here, or null.</summary>
    public Segment? Find(Guid segmentId) => host.Store.TryGet(segmentId, 0, out var segment) ? segment : null;

    /// <summary>Why <see cref="Find"/> finds nothing, in one sentence.</summary>
    public string WhyNotFound(Guid segmentId) =>
        host.Store.Untrusted.FirstOrDefault(file => file.SegmentId == segmentId) is { } untrusted
            ? $"{untrusted.Path} cannot be trusted: {untrusted.Problem}"
            : $"node '{host.Name}' has no file of segment {segmentId:N}";

    public NodeReport Report()
    {
        var store = host.Store;
        var open = store.Segments.Count(segment => segment.State is SegmentState.Prepared or SegmentState.Open);
        return new NodeReport(Self(store), store.Identity.Cookie ?? Guid.Empty, store.FreeBytes, open);
    }

    public Prepared Prepare(NewSegment segment)
    {
        var store = host.Store;
        lock (Of(_making, segment.LogId))
        {
            store.Create(segment.ToHeader());
        }

        LogPrepared(segment.Segment.Id, segment.LogName, segment.Segment.Base, segment.Segment.FileBytes);
        return new Prepared(Self(store));
    }

    /// <summary>Makes the file that the log's next segment will take.</summary>
    public void PrepareSpare(Guid logId, long bytes)
    {
        lock (Of(_making, logId))
        {
            host.Store.PrepareSpare(logId, bytes);
        }
    }

    public FencedTail Fence(Guid logId, Guid segmentId, int generation)
    {
        var store = host.Store;
        var segment = Get(store, segmentId, generation);
        var version = host.Chains.Of(logId)?.Version ?? 0;
        var tail = segment.State == SegmentState.Sealed ? segment.Tail : segment.Fence(version);
        LogFenced(segmentId, segment.Header.LogName, tail.Position);
        return new FencedTail(tail.Position, tail.LastTimestamp, segment.OpeningId, version);
    }

    /// <summary>Keeps the chain, then makes the replicas here agree with the newest one kept.</summary>
    public long Announce(Chain chain)
    {
        var store = host.Store;
        lock (Of(_announcing, chain.LogId))
        {
            var newest = host.Chains.Keep(store, chain);
            foreach (var segment in store.Segments)
            {
                if (segment.Header.LogId == newest.LogId)
                {
                    Follow(store, segment, newest);
                }
            }

            return newest.Version;
        }
    }

    /// <summary>Sets aside all files of a deleted log.</summary>
    public void Forget(Guid logId)
    {
        var store = host.Store;
        foreach (var segment in store.Segments)
        {
            if (segment.Header.LogId == logId)
            {
                SetAside(store, segment, "its log was deleted");
            }
        }
    }

    /// <summary>All that is known here of the logs of this name, or of every log when it is null. A log of which only untrusted
    /// files are left has no name, and is always among them.</summary>
    public IReadOnlyList<LogInventory> Inventory(string? logName)
    {
        var store = host.Store;
        var chains = host.Chains.All;
        var logs = chains.ToDictionary(chain => chain.LogId, chain => (chain.LogName, Chain: (Chain?)chain, Replicas: new List<ReplicaInventory>()));
        foreach (var segment in store.Segments)
        {
            var header = segment.Header;
            if (!logs.TryGetValue(header.LogId, out var log))
            {
                logs[header.LogId] = log = (header.LogName, null, []);
            }

            log.Replicas.Add(segment.ToInventory(id => NameOf(store, log.Chain, id)));
        }

        foreach (var file in store.Untrusted)
        {
            if (file.LogId is { } logId)
            {
                if (!logs.TryGetValue(logId, out var log))
                {
                    logs[logId] = log = ("", null, []);
                }

                log.Replicas.Add(Untrusted(store, log.Chain, file.SegmentId ?? Guid.Empty, file));
            }
        }

        return [.. logs.Where(log => logName is null || log.Value.LogName == logName || log.Value.LogName.Length == 0).Select(log => new LogInventory
        {
            LogId = log.Key, LogName = log.Value.LogName, SavedChain = log.Value.Chain, Replicas = log.Value.Replicas,
        })];
    }

    /// <summary>The replicas of one log with their numbers.</summary>
    public IReadOnlyList<SegmentDescription> Replicas(Guid logId)
    {
        var store = host.Store;
        var found = store.Segments.Where(segment => segment.Header.LogId == logId).Select(segment => Describe(segment));
        var untrusted = store.Untrusted.Where(file => file.SegmentId is not null).Select(file => new SegmentDescription
        {
            SegmentId = file.SegmentId!.Value, Node = host.Name, State = file.ToReplicaState(), Stats = null, Problem = $"{file.Path}: {file.Problem}",
        });
        return [.. found, .. untrusted];
    }

    public NodeDescription Describe()
    {
        var store = host.Store;
        return new NodeDescription
        {
            Name = host.Name,
            Id = store.Identity.Id,
            Segments = store.Segments.Count + store.Untrusted.Count,
            FreeBytes = store.FreeBytes,
            Problems = [.. store.Untrusted.Select(file => $"{file.Path}: {file.Problem}")],
        };
    }

    private static Lock[] Locks() => [.. Enumerable.Range(0, 16).Select(_ => new Lock())];

    private static Lock Of(Lock[] locks, Guid logId) => locks[unchecked((uint)logId.GetHashCode()) % locks.Length];

    private SegmentDescription Describe(Segment segment) => new()
    {
        SegmentId = segment.Header.Identity.Id,
        Node = host.Name,
        State = segment.State.ToReplicaState(),
        Stats = segment.ToStats(),
        Problem = (segment.Poisoned ?? host.Store.Untrusted.FirstOrDefault(file => file.Path == segment.Path)?.Problem) is { } problem
            ? $"{segment.Path}: {problem}"
            : null,
    };

    private void Follow(NodeStore store, Segment segment, Chain newest)
    {
        var identity = segment.Header.Identity;
        var listed = newest.Segments.FirstOrDefault(entry => entry.Id == identity.Id && entry.Generation == identity.Generation);
        if (listed is null)
        {
            if (segment.Header.ChainVersion < newest.Version)
            {
                SetAside(store, segment, $"chain version {newest.Version} of log '{newest.LogName}' does not list it");
            }

            return;
        }

        if (listed.End is not { } end || segment.State == SegmentState.Sealed)
        {
            return;
        }

        var tail = segment.State == SegmentState.Fenced ? segment.Tail : segment.Fence(newest.Version);
        if (tail.Position >= end)
        {
            segment.Seal(end);
            LogSealed(identity.Id, newest.LogName, end);
        }
        else
        {
            LogShort(identity.Id, newest.LogName, tail.Position, end);
        }
    }

    private void SetAside(NodeStore store, Segment segment, string reason)
    {
        store.SetAside(segment, reason);
        LogSetAside(segment.Header.Identity.Id, segment.Path, reason);
    }

    private Segment Get(NodeStore store, Guid segmentId, int generation)
    {
        if (store.TryGet(segmentId, generation, out var segment))
        {
            return segment!;
        }

        throw new StorageException(WhyNotFound(segmentId));
    }

    private ReplicaInventory Untrusted(NodeStore store, Chain? chain, Guid segmentId, UntrustedFile file) => new()
    {
        Segment = chain?.Segments.FirstOrDefault(entry => entry.Id == segmentId) ?? new ChainSegment
        {
            Id = segmentId, Generation = 0, Epoch = 0, Base = 0, End = null, Ensemble = [Self(store)], AckQuorum = 1, FileBytes = 0,
        },
        State = file.ToReplicaState(),
        Tail = 0,
        LastTimestamp = 0,
        PreparedAgainst = 0,
        Problem = $"{file.Path}: {file.Problem}",
    };

    private ChainNode Self(NodeStore store) => new(host.Name, store.Identity.Id);

    private string NameOf(NodeStore store, Chain? chain, Guid nodeId) =>
        nodeId == store.Identity.Id
            ? host.Name
            : chain?.Segments.SelectMany(segment => segment.Ensemble).FirstOrDefault(node => node.Id == nodeId)?.Name ?? nodeId.ToString("N");
}
