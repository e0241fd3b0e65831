using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>Carries messages between nodes, or does not: lost, late after the asker has given up, twice, in any order, and cut by partitions
/// that may be one-way.</summary>
internal sealed class SimulatedNetwork(World world, IReadOnlyList<SimulatedNode> nodes, PlantedBug bug, Incidents incidents, Trace? trace)
{
    private readonly HashSet<(string From, string To)> _cut = [];
    private readonly Dictionary<(string From, string To), long> _newest = [];
    private long _sent;

    /// <summary>How often a message is lost, overtaken by its asker's patience, or delivered twice.</summary>
    public double Trouble { get; set; }

    public IReadOnlyList<SimulatedNode> Nodes => nodes;

    public PlantedBug Bug => bug;

    public Trace? Trace => trace;

    public World World => world;

    public void Cut(string from, string to) => _cut.Add((from, to));

    public void Mend() => _cut.Clear();

    public SimulatedNode Node(string name) => nodes.Single(node => node.Name == name);

    /// <summary>The process that a caller reaches who writes to a node's segment: the original, where a copy of it was started beside it, as long as
    /// connections to it last.</summary>
    public SimulatedNode Writer(string name) => Originals.Find(node => node.Name == name && node.IsUp) is { } original && world.Chance(0.7) ? original : Node(name);

    /// <summary>See <see cref="Twins.Originals"/>.</summary>
    public List<SimulatedNode> Originals { get; set; } = [];

    /// <summary>Asks a node. The answer comes to the process that asked, or never.</summary>
    public async Task<NodeAnswer<T>> Ask<T>(SimulatedNode from, string to, string what, Func<SimulatedNode, NodeAnswer<T>> act)
    {
        var process = from.Process;
        trace?.Say($"{from.Name} -> {to}: {what}");
        if (world.Chance(Trouble))
        {
            // The asker gives up; the message may still arrive, once or twice, and much later.
            var copies = world.Random.Next(3);
            incidents.Count(copies switch { 0 => Incident.LostMessage, 1 => Incident.LateMessage, _ => Incident.DoubledMessage });
            for (; copies > 0; copies--)
            {
                _ = Deliver(from, to, what, act, world.Chance(0.4) ? world.Random.Next(600) : 0);
            }

            await Wait(from, process);
            return new NodeAnswer<T>(default, "no answer");
        }

        if (world.Chance(Trouble / 2))
        {
            incidents.Count(Incident.DoubledMessage);
            _ = Deliver(from, to, what, act, world.Random.Next(30));
        }

        var answer = await Deliver(from, to, what, act, delay: 0);
        await Wait(from, process);
        trace?.Say($"{from.Name} <- {to}: {what}: {answer.Unknown ?? $"{answer.Value}"}");
        return answer;
    }

    /// <summary>Does something on a node that is up and runs, and sees to it when it dies of it.</summary>
    public NodeAnswer<T> Do<T>(SimulatedNode node, string what, Func<SimulatedNode, NodeAnswer<T>> act)
    {
        try
        {
            var answer = act(node);
            return node.Disk.IsDying ? throw new IOException("the power went") : answer;
        }
        catch (Exception e) when (e is IOException or ArgumentException or InvalidOperationException)
        {
            if (node.Disk.IsDying)
            {
                trace?.Say($"{node.Name} dies at {what}");
                node.Crash();
            }

            if (e is SegmentDamagedException damage)
            {
                trace?.Say($"{node.Name} finds damage at {what}: {e.Message}");
                incidents.Count(Incident.DamageMet);
                node.Distrust(damage);
            }

            return new NodeAnswer<T>(default, e.Message);
        }
    }

    private async Task<NodeAnswer<T>> Deliver<T>(SimulatedNode from, string to, string what, Func<SimulatedNode, NodeAnswer<T>> act, int delay)
    {
        var (target, sent) = (Node(to), ++_sent);
        do
        {
            await world.Pause(static () => false);
        }
        while (target.IsPaused || delay-- > 0);

        if (IsCut(from.Name, to))
        {
            return new NodeAnswer<T>(default, "not reached");
        }

        if (target.HasTwin)
        {
            return new NodeAnswer<T>(default, "a copy of it answers, which is not registered");
        }

        if (!target.IsUp)
        {
            return new NodeAnswer<T>(default, "nobody is there");
        }

        if (_newest.GetValueOrDefault((from.Name, to)) is var newest && newest > sent)
        {
            incidents.Count(Incident.OvertakenMessage);
        }

        _newest[(from.Name, to)] = Math.Max(newest, sent);
        var answer = Do(target, what, act);
        do
        {
            await world.Pause(static () => false);
        }
        while (target.Disk.BusyUntil > world.Steps);

        return IsCut(to, from.Name) ? new NodeAnswer<T>(default, "the answer was lost") : answer;
    }

    private bool IsCut(string from, string to)
    {
        var cut = _cut.Contains((from, to));
        if (cut)
        {
            incidents.Count(_cut.Contains((to, from)) ? Incident.TwoWayCut : Incident.OneWayCut);
        }

        return cut;
    }

    private async Task Wait(SimulatedNode asker, int process)
    {
        do
        {
            await world.Pause(() => asker.Process != process);
        }
        while (asker.IsPaused);
    }
}
