using KawaOrleans.Server.Logs;
using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using Orleans.Runtime;

namespace KawaOrleans.Server.Healing;

/// <summary>This silo's node, as mending sees it.</summary>
internal sealed class MendingNode(NodeHost host, LocalNode local, NodesClient nodes, ReplicaCompletion completion, ChainSource chains, Pace pace) : IMendingNode
{
    public ChainNode Self => new(host.Name, host.Store.Identity.Id);

    public IReadOnlyCollection<Chain> Chains => host.Chains.All;

    public IReadOnlyList<string> Live => nodes.Live;

    public Task<T> Run<T>(Func<IReplicaFiles, T> work) => host.Run(store => work(new Files(store, local)));

    public Task<NodeAnswer<NodeReport>> Report(string node, CancellationToken cancellation) => nodes.Report(node, cancellation);

    public Task<NodeAnswer<Block>> ReadGroups(string source, ChainSegment segment, long offset, CancellationToken cancellation) =>
        nodes.ReadGroups(source, segment.Id, segment.Generation, offset, cancellation);

    public Task<NodeAnswer<long>> Complete(ChainSegment segment, string source, CancellationToken cancellation) =>
        completion.Run(segment.Id, segment.Generation, source, segment.End!.Value, bytes => pace.Spend(bytes, cancellation));

    public Task Invite(string node, Chain chain, Guid segmentId, CancellationToken cancellation) => nodes.TakeReplica(node, chain, segmentId, cancellation);

    public async Task<string?> End(Chain chain, ChainSegment open, CancellationToken cancellation)
    {
        try
        {
            await chains.OpenWriteSegment(chain.LogName, open.Id, batchBytes: 0).WaitAsync(cancellation);
            return null;
        }
        catch (Exception e) when (e is TimeoutException or OrleansException)
        {
            return e.Message;
        }
    }

    private sealed class Files(NodeStore store, LocalNode local) : IReplicaFiles
    {
        public (ReplicaState State, long Tail) Here(ChainSegment segment) => local.Here(segment);

        public ReplicaCopy BeginCopy(SegmentHeader header) => store.BeginCopy(header);

        public void Install(ReplicaCopy copy, string reason) => store.Install(copy, reason);

        public void DiscardCopies(IReadOnlySet<Guid> logs, IReadOnlySet<Guid> needed) => store.DiscardCopies(logs, needed);

        public void Announce(Chain chain) => local.Announce(chain);
    }
}
