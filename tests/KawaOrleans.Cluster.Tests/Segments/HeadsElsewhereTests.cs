using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace KawaOrleans.Cluster.Tests.Segments;

/// <summary>A new primary judges expected revisions by streams whose events lie in segments that it never held.</summary>
public sealed class HeadsElsewhereTests
{
    [Fact]
    public async Task A_new_primary_has_the_heads_of_earlier_segments_from_whoever_holds_these_N2_A2()
    {
        await using var cluster = await KawaCluster.Start(4, configureClient: static client => client.AddKawaClient());
        var store = cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>();
        var log = await Patiently(() => store.CreateLogAsync("orders", new LogOptions { Replicas = 2, AckQuorum = 2 }));
        await log.AppendAsync(Event("early"));
        var first = await WriteSegment(cluster);

        // Its follower goes, and the log with it to another node; that one knows the stream's event from nobody.
        await cluster.Kill(SiloOf(first.Ensemble[1]));
        var second = await Patiently(async () =>
        {
            var chain = await Nearby(cluster).OpenWriteSegment(first.Id, 0);
            return chain.WriteSegment!.Id != first.Id ? chain.WriteSegment : throw new LogNotWritableException("orders", "the log is where it was");
        });
        Assert.DoesNotContain(first.Ensemble[1], second.Ensemble);
        await log.AppendAsync(Event("late"));

        // Then the one that wrote both segments goes: of the first only the node that was away is left.
        await cluster.Restart(SiloOf(first.Ensemble[1]));
        await cluster.Kill(SiloOf(first.Ensemble[0]));
        var appended = await Patiently(() => log.Stream("early").AppendAsync([Event("early")], ExpectedRevision.Exactly(0)));

        Assert.Equal([1], Assert.IsType<Appended>(appended).Revisions);
    }

    private static EventData Event(string stream) => new(stream, "counted", new byte[10]) { Id = Guid.NewGuid() };

    private static int SiloOf(ChainNode node) => int.Parse(node.Name["node-".Length..], System.Globalization.CultureInfo.InvariantCulture);

    private static ISegmentDirectoryGrain Nearby(KawaCluster cluster) =>
        cluster.Client.GetGrain<ISegmentDirectoryGrain>(GrainId.Create(ISegmentDirectoryGrain.NearbyGrainType, "orders"));

    private static async Task<ChainSegment> WriteSegment(KawaCluster cluster) => (await Patiently(() => Nearby(cluster).GetChain())).WriteSegment!;

    private static async Task<T> Patiently<T>(Func<Task<T>> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (Exception e) when (attempt < 100 && (e is KawaException { IsRetryable: true } or DirectoryUnavailableException or TimeoutException || (e is OrleansException and not KawaException)))
            {
                await Task.Delay(100);
            }
        }
    }
}
