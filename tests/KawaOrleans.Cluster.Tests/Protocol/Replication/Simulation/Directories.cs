using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using static KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation.SimulatedNodes;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>The chain changers, one on every node, all of them at once if need be.</summary>
internal sealed class Directories(SimulatedNetwork network, StoredRecords stored, Checks checks, Incidents incidents)
{
    private const int MostCalls = 6;

    private readonly World _world = network.World;
    private readonly Dictionary<string, ChainChanger> _changers = [];
    private readonly List<Call> _calls = [];

    public bool AreBusy => _calls.Count >= MostCalls;

    public ChainChanger Of(SimulatedNode node)
    {
        if (_changers.TryGetValue(node.Name, out var changer))
        {
            return changer;
        }

        var process = node.Process;
        IChainRecords records = new FakeRecords(_world, stored, () => node.Process != process);
        records = network.Bug == PlantedBug.WritesBeforeTheChain ? new HastyRecords(records, Hasten) : records;
        return _changers[node.Name] = new ChainChanger(records, new SimulatedNodes(network, node), _world.NewId);
    }

    /// <summary>A node that starts anew remembers nothing of chains.</summary>
    public void Forget(SimulatedNode node) => _changers.Remove(node.Name);

    /// <summary>A node is asked for a segment of a log to write to.</summary>
    public void OpenNext(SimulatedNode node, SimulatedLog log, Guid? after)
    {
        network.Trace?.Say($"{node.Name} is asked for a segment of {log.Name} after {(after is { } id ? Short(id) : "none")}");
        if (_calls.Exists(call => call.Log == log && call.Node != node && call.Node.Process == call.Process))
        {
            incidents.Count(Incident.TwoDirectories);
        }

        _calls.Add(new Call(node, node.Process, log, See(node, log, after)));
    }

    /// <summary>Takes note of the calls that have ended.</summary>
    public void Collect()
    {
        _calls.RemoveAll(call => call.Node.Process != call.Process && !call.Task.IsFaulted);
        foreach (var call in _calls.Where(call => call.Task.IsCompleted).ToList())
        {
            _calls.Remove(call);
            switch (call.Task.Exception?.InnerException)
            {
                case null:
                    break;
                case LogNotWritableException or NodeUnavailableException or ChainStoreException { Problem: ChainStoreProblem.Away }:
                    network.Trace?.Say($"{call.Node.Name}: {call.Task.Exception.InnerException.Message}");
                    break;
                case SegmentFaultedException two:
                    checks.Require(false, "P8", two.Message);
                    break;
                case var e:
                    throw new InvalidOperationException($"A call failed: {e}", e);
            }
        }
    }

    private async Task See(SimulatedNode node, SimulatedLog log, Guid? after) => log.Saw(await Of(node).OpenWriteSegment(log.Name, after, 0, default));

    /// <summary>The planted bug: the new segment is announced before the swap that brings it in.</summary>
    private void Hasten(Chain next)
    {
        foreach (var member in next.WriteSegment?.Ensemble ?? [])
        {
            if (network.Node(member.Name) is { IsUp: true, IsPaused: false } node)
            {
                network.Do(node, "announce too early", found => new NodeAnswer<long>(found.Announce(next), null));
            }
        }

        Hastened(next);
    }

    /// <summary>Called with a chain that is used before it is stored.</summary>
    public Action<Chain> Hastened { get; set; } = _ => { };

    private sealed record Call(SimulatedNode Node, int Process, SimulatedLog Log, Task Task);
}
