using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;

namespace KawaOrleans.Server.Healing;

/// <summary>What mending asks of the node that it works on, and of the others. Tests have one without a cluster.</summary>
internal interface IMendingNode
{
    /// <summary>The node, with the data directory that it has now.</summary>
    ChainNode Self { get; }

    /// <summary>The newest chain that is kept of each log.</summary>
    IReadOnlyCollection<Chain> Chains { get; }

    /// <summary>Nodes believed alive. A hint.</summary>
    IReadOnlyList<string> Live { get; }

    /// <summary>Does blocking work on the files of this node.</summary>
    Task<T> Run<T>(Func<IReplicaFiles, T> work);

    /// <summary>Who another node is, and what room it has.</summary>
    Task<NodeAnswer<NodeReport>> Report(string node, CancellationToken cancellation);

    /// <summary>Write groups of another node's replica from an offset on; empty at its tail and behind it.</summary>
    Task<NodeAnswer<Block>> ReadGroups(string source, ChainSegment segment, long offset, CancellationToken cancellation);

    /// <summary>Brings the fenced replica here to the end of its segment with what another node has; answers how far that is.</summary>
    Task<NodeAnswer<long>> Complete(ChainSegment segment, string source, CancellationToken cancellation);

    /// <summary>Asks another node to take a replica. Whether it heard is unknown: it is asked again.</summary>
    Task Invite(string node, Chain chain, Guid segmentId, CancellationToken cancellation);

    /// <summary>Has a segment ended that is open on a node that was given up; why that was not to be had, or null.</summary>
    Task<string?> End(Chain chain, ChainSegment open, CancellationToken cancellation);
}

/// <summary>The files of a node that mends.</summary>
internal interface IReplicaFiles
{
    /// <summary>What is here of a segment, and how far it reaches.</summary>
    (ReplicaState State, long Tail) Here(ChainSegment segment);

    /// <summary>See <see cref="NodeStore.BeginCopy"/>.</summary>
    ReplicaCopy BeginCopy(SegmentHeader header);

    /// <summary>See <see cref="NodeStore.Install"/>.</summary>
    void Install(ReplicaCopy copy, string reason);

    /// <summary>See <see cref="NodeStore.DiscardCopies"/>.</summary>
    void DiscardCopies(IReadOnlySet<Guid> logs, IReadOnlySet<Guid> needed);

    /// <summary>Keeps a chain if it is newer than the one kept, and makes the replicas here agree with the newest.</summary>
    void Announce(Chain chain);
}
