using KawaOrleans.Faults.Tests.Silos;
using Xunit.Abstractions;

namespace KawaOrleans.Faults.Tests.Replicas;

/// <summary>Silos in network namespaces of their own, between which packets vanish. Needs root, and says so where it is not.</summary>
[Trait("Category", "Faults"), Collection(ReplicatedFaults.Name)]
public sealed class PartitionTests(ITestOutputHelper output)
{
    private const int After = 15;

    /// <summary>Clients reach all three: what the lone one tells them counts.</summary>
    [SkippableFact]
    public async Task The_primary_is_cut_off_from_the_others_N3_A2()
    {
        using var network = PartedNetwork.TryCreate(3, out var whyNot);
        Skip.If(network is null, whyNot);
        var cluster = new ReplicatedCluster(network!.Places);
        await cluster.InitializeAsync();
        try
        {
            var rounds = new FaultRounds(cluster, output);
            await rounds.RunAsync(async load =>
            {
                var lone = cluster.Silo((await ReplicatedCluster.WriteSegmentAsync(load.Log)).Primary);
                var place = network.Places.Single(place => place.Address == lone.Address);
                var others = network.Places.Where(other => other != place).ToList();
                others.ForEach(other => PartedNetwork.Cut(place, other));
                others.ForEach(other => PartedNetwork.Cut(other, place));
                await load.ProgressAsync(After);
                rounds.Say($"{lone.Node} is cut off, and every caller went on");
                others.ForEach(other => PartedNetwork.Mend(place, other));
                others.ForEach(other => PartedNetwork.Mend(other, place));
                await load.ProgressAsync(After);
                await cluster.AllMembersAsync();
                await load.ProgressAsync(After);
            });
        }
        finally
        {
            await cluster.DisposeAsync();
        }
    }
}
