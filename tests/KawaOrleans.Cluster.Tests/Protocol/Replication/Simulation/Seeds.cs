namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>Runs one seed after another, on several threads, until all have run or one fails.</summary>
internal sealed class Seeds(int first, int count, PlantedBug bug = PlantedBug.None)
{
    // Continuations run where they are let go on, one within the other.
    private const int StackBytes = 16 * 1024 * 1024;

    private readonly Lock _gate = new();
    private int _taken;

    /// <summary>Seeds that have run, those that failed among them.</summary>
    public int Ran { get; private set; }

    public long Swaps { get; private set; }

    public long Acknowledgements { get; private set; }

    public Incidents Incidents { get; } = new();

    /// <summary>The smallest seed that failed, and what broke.</summary>
    public (int Seed, string What)? Broken { get; private set; }

    /// <summary>Runs them; calls <paramref name="progress"/> now and then.</summary>
    public void Run(int threads, Action? progress = null)
    {
        var running = Enumerable.Range(0, threads).Select(_ => new Thread(RunOnThis, StackBytes)).ToList();
        running.ForEach(thread => thread.Start());
        foreach (var thread in running)
        {
            while (!thread.Join(TimeSpan.FromSeconds(10)))
            {
                progress?.Invoke();
            }
        }
    }

    /// <summary>What happened in a seed, a line each, the last so many lines.</summary>
    public static string Replay(int seed, PlantedBug bug, int lines)
    {
        var trace = new Trace();
        var what = "";
        var thread = new Thread(() => what = WhatBroke(seed, bug, trace, out _), StackBytes);
        thread.Start();
        thread.Join();
        return $"{trace.Last(lines)}{Environment.NewLine}{(what.Length == 0 ? "Nothing broke." : what)}";
    }

    /// <summary>What broke in a seed; empty: nothing.</summary>
    private static string WhatBroke(int seed, PlantedBug bug, Trace? trace, out ReplicationSimulation? simulation)
    {
        simulation = null;
        try
        {
            simulation = new ReplicationSimulation(seed, bug, trace);
            return simulation.Run() ?? "";
        }
        catch (Exception e)
        {
            return e.ToString();
        }
    }

    private void RunOnThis()
    {
        while (Next() is { } seed)
        {
            var broken = WhatBroke(seed, bug, trace: null, out var simulation);
            lock (_gate)
            {
                Ran++;
                if (simulation is not null)
                {
                    Swaps += simulation.Swaps;
                    Acknowledgements += simulation.Acknowledgements;
                    Incidents.Add(simulation.Incidents);
                }

                if (broken.Length > 0 && !(Broken?.Seed < seed))
                {
                    Broken = (seed, broken);
                }
            }
        }
    }

    /// <summary>The next seed; null when all are taken, or one failed: those before it are finished.</summary>
    private int? Next()
    {
        lock (_gate)
        {
            return Broken is null && _taken < count ? first + _taken++ : null;
        }
    }
}
