using Xunit.Abstractions;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>As many seeds as fit an every-day run; <c>KAWA_SEED</c> replays one and prints all of it. For many: <see cref="SimulateCommand"/>.</summary>
[Collection(RunsAlone.Name)]
public class ReplicationSimulationTests(ITestOutputHelper output)
{
    private const int EveryDay = 2000;

    // Seeds that do not change, so that a test that passes goes on to pass, and one that fails fails everywhere. What they do changes with
    // every change of the protocol; other ones are looked at with the command.
    private const int First = 1;

    private static readonly int? Replayed = int.TryParse(Environment.GetEnvironmentVariable("KAWA_SEED"), out var seed) ? seed : null;

    /// <summary>And everything did fail: a simulation in which nothing happens proves nothing.</summary>
    [Fact]
    public void Whatever_fails_nothing_acknowledged_is_lost_and_every_invariant_holds()
    {
        if (Replayed is { } replayed)
        {
            output.WriteLine(Seeds.Replay(replayed, PlantedBug.None, int.MaxValue));
        }

        var first = Replayed ?? First;
        var seeds = new Seeds(first, Replayed is null ? EveryDay : 1);
        seeds.Run(Environment.ProcessorCount);
        if (seeds.Broken is { } broken)
        {
            Assert.Fail($"KAWA_SEED={broken.Seed}: {broken.What}{Environment.NewLine}{Seeds.Replay(broken.Seed, PlantedBug.None, lines: 150)}");
        }

        output.WriteLine($"{seeds.Ran} seeds from {first}: {seeds.Swaps} chain swaps, {seeds.Acknowledgements} answers; {seeds.Incidents}");
        if (Replayed is null)
        {
            Assert.Empty(seeds.Incidents.Missing);
            Assert.True(seeds.Swaps > EveryDay * 5 && seeds.Acknowledgements > EveryDay * 20, $"only {seeds.Swaps} chain swaps and {seeds.Acknowledgements} answers");
        }
    }

    /// <summary>Each of these cost some system its users' data. A simulation that does not find them would not find the next one.</summary>
    [Theory]
    [InlineData(PlantedBug.WritesBeforeTheChain)]
    [InlineData(PlantedBug.DamageIsNoSuchEntry)]
    [InlineData(PlantedBug.WipedPassesForNew)]
    [InlineData(PlantedBug.CopyVotes)]
    [InlineData(PlantedBug.CompletionCounts)]
    [InlineData(PlantedBug.TailsWithoutFence)]
    [InlineData(PlantedBug.ListedBeforeItsCopy)]
    [InlineData(PlantedBug.CopyRunsBeside)]
    public void A_planted_bug_is_found(PlantedBug bug)
    {
        var seeds = new Seeds(First, EveryDay, bug);
        seeds.Run(Environment.ProcessorCount);
        Assert.True(seeds.Broken is not null, $"{bug} was not found in {seeds.Ran} seeds");
        output.WriteLine($"{bug}: seed {seeds.Broken.Value.Seed}: {seeds.Broken.Value.What}");
    }

    [Fact]
    public void A_seed_does_what_it_did_before() =>
        Assert.Equal(Seeds.Replay(7, PlantedBug.None, int.MaxValue), Seeds.Replay(7, PlantedBug.None, int.MaxValue));
}
