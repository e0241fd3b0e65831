using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;

namespace KawaOrleans.Server.Nodes;

/// <summary>What this node says of the files and chains it holds. What it cannot trust is told, never left out.</summary>
internal sealed class LocalInventory(NodeHost host)
{
    /// <summary>All that is known here of the logs of this name, or of every log when it is null. A log of which only untrusted
    /// files are left has no name, and is always among them.</summary>
    public IReadOnlyList<LogInventory> Inventory(string? logName)
    {
        if (host.Refusal is { } refusal)
        {
            throw refusal; // what another's directory holds is no evidence of anything
        }

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

    /// <summary>The node as an operator wants to see it.</summary>
    public NodeDescription Describe()
    {
        var store = host.Store;
        return new NodeDescription
        {
            Name = host.Name,
            Id = store.Identity.Id,
            Segments = store.Segments.Count + store.Untrusted.Count,
            FreeBytes = store.FreeBytes,
            Problems =
            [
                .. host.WhyNotVoting is { } reason ? [$"It does not vote: {reason}"] : Array.Empty<string>(),
                .. store.Untrusted.Select(file => $"{file.Path}: {file.Problem}"),
                .. host.Faults.Select(fault => $"segment {fault.Key:N}: {fault.Value}"),
            ],
        };
    }

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

    private ReplicaInventory Untrusted(NodeStore store, Chain? chain, Guid segmentId, UntrustedFile file) => new()
    {
        Segment = chain?.Segments.FirstOrDefault(entry => entry.Id == segmentId) ?? new ChainSegment
        {
            Id = segmentId, Generation = 0, Epoch = 0, Base = 0, End = null, Ensemble = [new ChainNode(host.Name, store.Identity.Id)], AckQuorum = 1, FileBytes = 0,
        },
        State = file.ToReplicaState(),
        Tail = 0,
        LastTimestamp = 0,
        PreparedAgainst = 0,
        Problem = $"{file.Path}: {file.Problem}",
    };

    private string NameOf(NodeStore store, Chain? chain, Guid nodeId) =>
        nodeId == store.Identity.Id
            ? host.Name
            : chain?.Segments.SelectMany(segment => segment.Ensemble).FirstOrDefault(node => node.Id == nodeId)?.Name ?? nodeId.ToString("N");
}
