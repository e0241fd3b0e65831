using KawaOrleans.Server.Healing;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using static KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation.SimulatedNodes;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>The nodes' healers: the product's own passes over the real files, one at a time on each node, all nodes at once.</summary>
/// <param name="network">The nodes.</param>
/// <param name="stored">The chain store.</param>
/// <param name="incidents">Counts what they meet.</param>
/// <param name="end">Has a segment of a log ended.</param>
internal sealed class Healers(SimulatedNetwork network, StoredRecords stored, Incidents incidents, Action<SimulatedNode, Chain, Guid> end)
{
    private readonly Dictionary<string, (int Process, Task Pass)> _passes = [];
    private readonly Dictionary<string, int> _caughtUp = [];

    /// <summary>How often a node believes that another one lives which does not, and the other way round.</summary>
    public double Doubt { get; set; } = 0.2;

    /// <summary>Each pass reads all replicas, not some.</summary>
    public bool Verifies { get; set; }

    /// <summary>Lets a node look at its replicas, unless it is doing that.</summary>
    public Task Heal(SimulatedNode node)
    {
        if (_passes.TryGetValue(node.Name, out var running) && running.Process == node.Process && !running.Pass.IsCompleted)
        {
            return running.Pass;
        }

        var pass = Pass(node);
        _passes[node.Name] = (node.Process, pass);
        return pass;
    }

    /// <summary>A pass that failed as none may.</summary>
    public void Collect()
    {
        foreach (var (_, pass) in _passes.Values.Where(running => running.Pass.IsFaulted))
        {
            pass.GetAwaiter().GetResult();
        }
    }

    private async Task Pass(SimulatedNode node)
    {
        var process = node.Process;
        var records = new FakeRecords(network.World, stored, () => node.Process != process);
        var mending = new Mending(network, node, process, incidents, end, () => Doubt);
        try
        {
            if (_caughtUp.GetValueOrDefault(node.Name, -1) != process)
            {
                await CatchUp(node, records, mending);
                _caughtUp[node.Name] = process;
            }

            var catalogue = (await records.ReadCatalogue(default))!.Value;
            var nodes = new SimulatedNodes(network, node);
            if (network.Bug == PlantedBug.ListedBeforeItsCopy)
            {
                foreach (var (chain, segmentId) in node.Invitations.All)
                {
                    await new EnsembleChange(records, nodes).Join(chain, segmentId, node.Node, default);
                }
            }

            var fetch = new ReplicaFetch(mending, (_, _) => network.World.Pause(() => node.Process != process), static _ => { });
            await new HealingPass(mending, node.Invitations, fetch, new EnsembleChange(records, nodes), static _ => { }, NullLogger.Instance).Run(catalogue, default);
            if (Verifies || network.World.Chance(0.2))
            {
                await mending.Run(_ =>
                {
                    node.Verify();
                    return true;
                });
            }
        }
        catch (Exception e) when (e is ChainStoreException { Problem: ChainStoreProblem.Away } or IOException)
        {
            network.Trace?.Say($"{node.Name} ends a pass: {e.Message}");
            incidents.Count(Incident.CutOffPass);
        }
    }

    private static async Task CatchUp(SimulatedNode node, FakeRecords records, Mending mending)
    {
        foreach (var name in node.LogNames)
        {
            if (await records.ReadChain(name, default) is { } chain)
            {
                await mending.Run(files =>
                {
                    files.Announce(chain.Value);
                    return true;
                });
            }
        }
    }

    private sealed class Mending(
        SimulatedNetwork network, SimulatedNode node, int process, Incidents incidents, Action<SimulatedNode, Chain, Guid> end, Func<double> doubt) : IMendingNode
    {
        public ChainNode Self => node.Node;

        public IReadOnlyCollection<Chain> Chains => node.Chains;

        public IReadOnlyList<string> Live => [.. network.Nodes.Where(other => other == node || (other.IsUp && other.IsRegistered) != network.World.Chance(doubt())).Select(other => other.Name)];

        public async Task<T> Run<T>(Func<IReplicaFiles, T> work)
        {
            while (node.IsPaused)
            {
                await network.World.Pause(() => node.Process != process);
            }

            try
            {
                var found = work(node);
                if (!node.Disk.IsDying)
                {
                    return found;
                }
            }
            catch (IOException) when (node.Disk.IsDying)
            {
                // Its machine went down.
            }

            network.Trace?.Say($"{node.Name} dies while it heals");
            incidents.Count(Incident.DeathWhileHealing);
            node.Crash();
            return await new TaskCompletionSource<T>().Task;
        }

        public Task<NodeAnswer<NodeReport>> Report(string name, CancellationToken cancellation) =>
            network.Ask(node, name, "report", static found => new NodeAnswer<NodeReport>(found.Report(), null));

        public Task<NodeAnswer<Block>> ReadGroups(string source, ChainSegment segment, long offset, CancellationToken cancellation) =>
            network.Ask(node, source, $"groups of {Short(segment.Id)} from offset {offset}",
                found => new NodeAnswer<Block>(new Block(found.ReadGroups(segment.Id, offset, network.World.Random.Next(100, 1500))), null));

        public Task<NodeAnswer<long>> Complete(ChainSegment segment, string source, CancellationToken cancellation)
        {
            // By its id: a newer chain, heard of meanwhile, may list it on other nodes.
            var log = node.Chains.First(chain => chain.Segments.Any(listed => listed.Id == segment.Id)).LogId;
            return new SimulatedNodes(network, node).Complete(node.Name, log, segment.Id, segment.Generation, source, segment.End!.Value, cancellation);
        }

        public Task Invite(string name, Chain chain, Guid segmentId, CancellationToken cancellation)
        {
            if (network.World.Chance(doubt()))
            {
                // As another node does that heard of other candidates.
                _ = Ask(network.Nodes[network.World.Random.Next(network.Nodes.Count)].Name);
            }

            return Ask(name);

            Task Ask(string candidate) =>
                network.Ask(node, candidate, $"take a replica of {Short(segmentId)}", found => new NodeAnswer<bool>(found.Invite(chain, segmentId), null));
        }

        public Task<string?> End(Chain chain, ChainSegment open, CancellationToken cancellation)
        {
            if (node.Process == process)
            {
                end(node, chain, open.Id);
            }

            return Task.FromResult<string?>(null);
        }
    }
}
