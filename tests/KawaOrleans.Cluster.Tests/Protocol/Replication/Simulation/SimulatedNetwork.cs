using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>Carries messages between nodes, or does not: lost, late after the asker has given up, twice, in any order, and cut by partitions
/// that may be one-way.</summary>
internal sealed class SimulatedNetwork(World world, IReadOnlyList<SimulatedNode> nodes, PlantedBug bug, Trace? trace)
{
    private readonly HashSet<(string From, string To)> _cut = [];

    /// <summary>How often a message is lost, overtaken by its asker's patience, or delivered twice.</summary>
    public double Trouble { get; set; }

    public IReadOnlyList<SimulatedNode> Nodes => nodes;

    public PlantedBug Bug => bug;

    public Trace? Trace => trace;

    public World World => world;

    public void Cut(string from, string to) => _cut.Add((from, to));

    public void Mend() => _cut.Clear();

    public SimulatedNode Node(string name) => nodes.Single(node => node.Name == name);

    /// <summary>Asks a node. The answer comes to the process that asked, or never.</summary>
    public async Task<NodeAnswer<T>> Ask<T>(SimulatedNode from, string to, string what, Func<SimulatedNode, NodeAnswer<T>> act)
    {
        var process = from.Process;
        trace?.Say($"{from.Name} -> {to}: {what}");
        if (world.Chance(Trouble))
        {
            // The asker gives up; the message may still arrive, once or twice.
            for (var copies = world.Random.Next(3); copies > 0; copies--)
            {
                _ = Deliver(from, to, what, act);
            }

            await Wait(from, process);
            return new NodeAnswer<T>(default, "no answer");
        }

        var answer = await Deliver(from, to, what, act);
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
            return node.IsDying ? throw new IOException("the power went") : answer;
        }
        catch (Exception e) when (e is IOException or ArgumentException or InvalidOperationException)
        {
            if (node.IsDying)
            {
                trace?.Say($"{node.Name} dies at {what}");
                node.Crash();
            }

            return new NodeAnswer<T>(default, e.Message);
        }
    }

    private async Task<NodeAnswer<T>> Deliver<T>(SimulatedNode from, string to, string what, Func<SimulatedNode, NodeAnswer<T>> act)
    {
        var target = Node(to);
        do
        {
            await world.Pause(static () => false);
        }
        while (target.IsPaused);

        if (!target.IsUp || _cut.Contains((from.Name, to)))
        {
            return new NodeAnswer<T>(default, "not reached");
        }

        var answer = Do(target, what, act);
        await world.Pause(static () => false);
        return _cut.Contains((to, from.Name)) ? new NodeAnswer<T>(default, "the answer was lost") : answer;
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
