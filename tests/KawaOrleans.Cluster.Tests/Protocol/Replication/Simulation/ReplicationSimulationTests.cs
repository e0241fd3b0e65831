using Xunit.Abstractions;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>KAWA_SEED replays one seed and prints all of it; KAWA_SEEDS says how many to run, KAWA_SWEEP=full runs 20,000.</summary>
[Collection(RunsAlone.Name)]
public class ReplicationSimulationTests(ITestOutputHelper output)
{
    private const int Turns = 900;

    private static readonly int? Replayed = Number("KAWA_SEED");

    private static readonly int Seeds = Number("KAWA_SEEDS") ?? (Environment.GetEnvironmentVariable("KAWA_SWEEP") == "full" ? 20_000 : 200);

    [Fact]
    public void Whatever_fails_nothing_acknowledged_is_lost_and_every_invariant_holds()
    {
        var first = Replayed ?? Random.Shared.Next(1_000_000_000);
        var count = Replayed is null ? Seeds : 1;
        var (swaps, acknowledged, reads, completions) = (0, 0, 0, 0);
        for (var seed = first; seed < first + count; seed++)
        {
            var simulation = new ReplicationSimulation(seed);
            if (WhatBroke(simulation) is { } broken)
            {
                Assert.Fail($"Seed {seed}: {broken}{Environment.NewLine}{Replay(seed, PlantedBug.None, lines: Replayed is null ? 150 : int.MaxValue)}");
            }

            swaps += simulation.Checks.Swaps;
            acknowledged += simulation.Checks.Acknowledgements;
            reads += simulation.Reads;
            completions += simulation.Checks.Completions;
        }

        output.WriteLine($"{count} seeds from {first}: {swaps} chain swaps, {acknowledged} acknowledged batches, {reads} reads, {completions} completions");

        // A simulation in which nothing happens proves nothing.
        Assert.True(Replayed is not null || (swaps > count * 5 && acknowledged > count * 20 && reads > count * 5 && completions > count / 4),
            $"only {swaps} swaps, {acknowledged} acknowledged batches, {reads} reads, {completions} completions");
    }

    /// <summary>Each of these cost some system its users' data. A simulation that does not find them would not find the next one.</summary>
    [Theory]
    [InlineData(PlantedBug.WritesBeforeTheChain)]
    [InlineData(PlantedBug.NothingReadIsEmpty)]
    [InlineData(PlantedBug.CompletionCounts)]
    [InlineData(PlantedBug.TailsWithoutFence)]
    public void A_planted_bug_is_found(PlantedBug bug)
    {
        const int MostSeeds = 3000;
        for (var seed = 1; seed <= MostSeeds; seed++)
        {
            if (Run(new ReplicationSimulation(seed, bug)) is { } broken)
            {
                output.WriteLine($"{bug}: seed {seed}: {broken}");
                return;
            }
        }

        Assert.Fail($"{bug} was not found in {MostSeeds} seeds.");
    }

    [Fact]
    public void A_seed_does_what_it_did_before()
    {
        Assert.Equal(Replay(7, PlantedBug.None, int.MaxValue), Replay(7, PlantedBug.None, int.MaxValue));
    }

    private static string? WhatBroke(ReplicationSimulation simulation)
    {
        try
        {
            return Run(simulation);
        }
        catch (Exception e)
        {
            return e.ToString();
        }
    }

    private static string? Run(ReplicationSimulation simulation)
    {
        // Without a synchronisation context every continuation runs where its call is let go on.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return simulation.Run(Turns);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    private static string Replay(int seed, PlantedBug bug, int lines)
    {
        var trace = new Trace();
        WhatBroke(new ReplicationSimulation(seed, bug, trace));
        return trace.Last(lines);
    }

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : null;
}
