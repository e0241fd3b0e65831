using KawaOrleans.Client;
using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Client;

/// <summary>Reads through the client against real nodes: memory, direct gateways, and what a reader that leaves holds up.</summary>
public sealed class ClusterReadTests
{
    [Fact]
    public async Task An_event_that_is_kept_outlives_the_memory_of_the_block_it_came_in()
    {
        await using var cluster = await Start(1, static options => options.ReadBlockBytes = 64 * 1024);
        var log = cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>().Log("kept");
        for (var batch = 0; batch < 40; batch++)
        {
            await log.AppendAsync(PlainLog.Batch(50, bytes: 1000, tag: $"{batch}"));
        }

        var events = await Drain(log.ReadAsync());

        Assert.Equal(
            from batch in Enumerable.Range(0, 40) from i in Enumerable.Range(0, 50) select $"{batch}/{i}",
            events.Select(PlainLog.TagOf));
        foreach (var position in new[] { 0, 1, 999, 1999 })
        {
            Assert.Equal(events[position].Id, (await log.TryReadAsync(position))!.Id);
        }
    }

    [Fact]
    public async Task A_node_is_called_by_its_own_gateway_while_that_is_there_and_the_ordinary_way_when_it_is_not()
    {
        await using var cluster = await Start(3, static options => options.DirectToNodes = true);
        var services = cluster.Client.ServiceProvider;
        var store = services.GetRequiredService<IEventStoreClient>();
        var gateways = services.GetRequiredService<NodeGateways>();
        var logs = Enumerable.Range(0, 6).Select(i => store.Log($"log-{i}")).ToList();
        foreach (var log in logs)
        {
            await log.AppendAsync(PlainLog.Batch(10, tag: log.Name));
        }

        foreach (var silo in Enumerable.Range(0, 3))
        {
            await gateways.ConnectAsync(KawaCluster.NodeName(silo));
            Assert.NotNull(gateways.Find(KawaCluster.NodeName(silo)));
        }

        foreach (var log in logs)
        {
            await log.AppendAsync(PlainLog.Batch(10, tag: log.Name + "'"));
            Assert.Equal(20, (await Drain(log.ReadAsync())).Count);
        }

        await gateways.ConnectAsync("no-such-node");
        Assert.Null(gateways.Find("no-such-node"));
    }

    [Fact]
    public async Task A_node_that_lost_its_gateway_and_came_back_is_read_and_written_again()
    {
        await using var cluster = await Start(2, static options => options.DirectToNodes = true);
        var services = cluster.Client.ServiceProvider;
        var store = services.GetRequiredService<IEventStoreClient>();
        var gateways = services.GetRequiredService<NodeGateways>();
        var logs = Enumerable.Range(0, 4).Select(i => store.Log($"log-{i}")).ToList();
        foreach (var log in logs)
        {
            await log.AppendAsync(PlainLog.Batch(10));
        }

        await gateways.ConnectAsync(KawaCluster.NodeName(1));
        Assert.NotNull(gateways.Find(KawaCluster.NodeName(1)));

        await cluster.Kill(1);
        await cluster.Restart(1);

        foreach (var log in logs)
        {
            await Patiently(() => log.AppendAsync(PlainLog.Batch(1)));
            await Patiently(async () =>
            {
                var events = await Drain(log.ReadAsync());
                Assert.True(events.Count >= 11, $"{events.Count} events of {log.Name}");
            });
        }
    }

    [Fact]
    public async Task A_follower_that_leaves_ends_its_wait_on_the_silo()
    {
        var reads = new Reads();
        await using var cluster = await Start(1, static _ => { }, silo => silo.AddIncomingGrainCallFilter(reads));
        var log = cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>().Log("followed");
        await log.AppendAsync(PlainLog.Batch(1));
        using var leaves = new CancellationTokenSource();
        await using var following = log.ReadAsync(1, follow: true, leaves.Token).GetAsyncEnumerator();
        var next = following.MoveNextAsync().AsTask();
        await reads.Began.WaitAsync(TimeSpan.FromSeconds(60));

        await leaves.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);

        // Had it waited on, it would have ended without an error.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reads.Ended.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    private static Task<KawaCluster> Start(int silos, Action<KawaClientOptions> options, Action<ISiloBuilder>? configure = null) =>
        KawaCluster.Start(silos, configure: configure, configureClient: client => client.AddKawaClient(options));

    private static async Task<List<RecordedEvent>> Drain(IAsyncEnumerable<RecordedEvent> sequence)
    {
        var events = new List<RecordedEvent>();
        await foreach (var e in sequence)
        {
            events.Add(e);
        }

        return events;
    }

    /// <summary>Repeats what fails while a node is on its way back.</summary>
    private static async Task Patiently(Func<Task> attempt)
    {
        for (var attempts = 0; ; attempts++)
        {
            try
            {
                await attempt();
                return;
            }
            catch (KawaException) when (attempts < 30)
            {
                await Task.Delay(200);
            }
        }
    }

    /// <summary>When the first waiting read of the silo began and how it ended.</summary>
    private sealed class Reads : IIncomingGrainCallFilter
    {
        private readonly TaskCompletionSource _began = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Began => _began.Task;

        public Task Ended => _ended.Task;

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.InterfaceMethod.Name != nameof(ISegmentGrain.Read))
            {
                await context.Invoke();
                return;
            }

            _began.TrySetResult();
            try
            {
                await context.Invoke();
                _ended.TrySetResult();
            }
            catch (Exception e)
            {
                _ended.TrySetException(e);
                throw;
            }
        }
    }
}
