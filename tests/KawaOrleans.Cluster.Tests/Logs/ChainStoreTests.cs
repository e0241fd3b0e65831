using KawaOrleans.Server;
using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Runtime;
using Orleans.Runtime.Hosting;
using Orleans.Storage;

namespace KawaOrleans.Cluster.Tests.Logs;

public sealed class ChainStoreTests
{
    [Fact]
    public async Task While_the_chain_store_is_away_what_is_open_is_written_everything_is_read_and_rolls_wait()
    {
        var store = new SwitchableStorage();
        await using var cluster = await KawaCluster.Start(2, configure: silo => UseStorage(silo, store));
        var log = await new PlainLog(cluster.Client, "orders").Create();
        for (var i = 0; i < 20; i++)
        {
            await log.Append(PlainLog.Batch(20, bytes: 200, tag: $"{i}"));
        }

        var chain = await log.Directory.GetChain();
        var open = log.Grain(chain.WriteSegment!);

        store.IsAway = true;

        Assert.IsType<Appended>(await open.Append(Block.Of(PlainLog.Batch(1, tag: "away"))));
        foreach (var segment in chain.Segments)
        {
            Assert.NotEmpty((await log.Grain(segment).Read(new ReadRequest { From = segment.Base })).Events.ToList());
        }

        var refusal = await Assert.ThrowsAsync<ChainStoreException>(() => log.Directory.GetChain());
        Assert.Equal((ChainStoreProblem.Away, true), (refusal.Problem, refusal.IsRetryable));
        await Assert.ThrowsAsync<ChainStoreException>(() => log.Directory.OpenWriteSegment(chain.WriteSegment!.Id, 0));

        store.IsAway = false;

        Assert.Equal(402, (await log.Append(PlainLog.Batch(1, tag: "back"))).First + 1);
        Assert.Equal(402, (await log.Read()).Count);
    }

    [Fact]
    public async Task A_node_that_starts_while_the_chain_store_is_away_serves_reads_votes_for_nothing_and_joins_when_it_is_back()
    {
        var store = new SwitchableStorage();
        var root = KawaCluster.NewRoot();
        try
        {
            Chain chain;
            await using (var cluster = await KawaCluster.Start(1, root, silo => UseStorage(silo, store)))
            {
                var log = await new PlainLog(cluster.Client, "orders").Create();
                await log.Append(PlainLog.Batch(5));
                chain = await log.Directory.GetChain();
            }

            store.IsAway = true;
            await using (var cluster = await KawaCluster.Start(1, root, silo => UseStorage(silo, store)))
            {
                var log = new PlainLog(cluster.Client, "orders");
                var grain = log.Grain(chain.WriteSegment!);
                Assert.Equal(5, (await grain.Read(new ReadRequest { From = 0 })).Events.ToList().Count);
                var health = await cluster.Service<KawaHealthCheck>(0).CheckHealthAsync(new HealthCheckContext());
                Assert.Equal(HealthStatus.Degraded, health.Status);
                Assert.Contains("chain store", health.Description, StringComparison.OrdinalIgnoreCase);

                // The record of its start may name another copy of its directory: nothing may rest on this one.
                var nodes = cluster.Service<NodesClient>(0);
                var open = chain.WriteSegment!;
                var fence = await nodes.Fence(open.Primary, chain.LogId, open.Id, 0, default);
                Assert.Contains("does not vote", fence.Unknown, StringComparison.Ordinal);
                var claim = new NewSegment
                {
                    LogId = chain.LogId, LogName = "orders", Segment = open with { Id = Guid.NewGuid() }, ChainVersion = chain.Version, Predecessor = null, TimestampFloor = 0,
                };
                Assert.Contains("does not vote", (await nodes.Prepare(open.Primary, claim, default)).Unknown, StringComparison.Ordinal);
                Assert.Contains("does not vote", (await nodes.Complete(open.Primary, chain.LogId, open.Id, 0, open.Primary, 9, default)).Unknown, StringComparison.Ordinal);
                var append = new FollowerAppend
                {
                    LogId = chain.LogId, SegmentId = open.Id, Generation = 0, Epoch = open.Epoch, OpeningId = Guid.NewGuid(), From = default, Committed = 0,
                };
                Assert.Contains("does not vote", (await nodes.Follow(open.Primary, append, new Block(default), default)).Unknown, StringComparison.Ordinal);
                Assert.Contains("chain store", Assert.IsType<NotPrimary>(await grain.Append(Block.Of(PlainLog.Batch(1)))).Reason, StringComparison.OrdinalIgnoreCase);
                Assert.Equal(5, (await grain.Read(new ReadRequest { From = 0 })).Events.ToList().Count);

                store.IsAway = false;
                var joined = DateTime.MaxValue;
                for (var attempt = 0; attempt < 100 && joined == DateTime.MaxValue; attempt++)
                {
                    await Task.Delay(100);
                    health = await cluster.Service<KawaHealthCheck>(0).CheckHealthAsync(new HealthCheckContext());
                    joined = health.Status == HealthStatus.Healthy ? DateTime.MinValue : joined;
                }

                Assert.Equal(HealthStatus.Healthy, health.Status);
                await log.Append(PlainLog.Batch(1));
                Assert.Equal(6, (await log.Read()).Count);
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public async Task A_lost_chain_store_is_said_and_rebuilt_from_what_the_nodes_hold()
    {
        var store = new SwitchableStorage();
        await using var cluster = await KawaCluster.Start(3, configure: silo => UseStorage(silo, store));
        for (var i = 0; i < 4; i++)
        {
            var log = await new PlainLog(cluster.Client, $"log-{i}").Create();
            for (var batch = 0; batch < 20; batch++)
            {
                await log.Append(PlainLog.Batch(20, bytes: 200, tag: $"{batch}"));
            }
        }

        var before = await new PlainLog(cluster.Client, "log-0").Directory.GetChain();
        store.Lose();

        var lost = await Assert.ThrowsAsync<ChainStoreException>(() => new PlainLog(cluster.Client, "log-0").Directory.GetChain());
        Assert.Equal(ChainStoreProblem.Lost, lost.Problem);
        Assert.Contains("rebuild", lost.Message, StringComparison.OrdinalIgnoreCase);

        var rebuilt = await cluster.Client.GetGrain<IEventStoreGrain>(0).Rebuild([]);

        Assert.Equal(["log-0", "log-1", "log-2", "log-3"], rebuilt.Select(log => log.Name).Order(StringComparer.Ordinal));
        var after = await new PlainLog(cluster.Client, "log-0").Directory.GetChain();
        Assert.Equal(before.LogId, after.LogId);
        Assert.True(after.Version >= before.Version);
        for (var i = 0; i < 4; i++)
        {
            var log = new PlainLog(cluster.Client, $"log-{i}");
            Assert.Equal(400, (await log.Read()).Count);
            Assert.Equal(400, (await log.Append(PlainLog.Batch(1))).First);
        }
    }

    [Fact]
    public async Task A_lost_chain_store_is_not_rebuilt_while_the_owner_of_the_last_segment_is_down()
    {
        var store = new SwitchableStorage();
        await using var cluster = await KawaCluster.Start(3, configure: silo => UseStorage(silo, store));
        var log = await new PlainLog(cluster.Client, "orders").Create();
        await log.Append(PlainLog.Batch(3, tag: "kept"));
        var owner = (await log.Directory.GetChain()).WriteSegment!.Primary;
        var silo = int.Parse(owner["node-".Length..], System.Globalization.CultureInfo.InvariantCulture);
        await cluster.Kill(silo);
        store.Lose();

        var again = new PlainLog(cluster.Client, "orders");
        var refused = await Assert.ThrowsAsync<ChainStoreException>(() => again.Directory.Rebuild([]));
        Assert.Equal(ChainStoreProblem.CannotRebuild, refused.Problem);

        await cluster.Restart(silo);
        await cluster.Client.GetGrain<IEventStoreGrain>(0).Rebuild([]);
        Assert.Equal(["kept/0", "kept/1", "kept/2"], (await again.Read()).Select(PlainLog.TagOf));
        Assert.Equal(3, (await again.Append(PlainLog.Batch(1))).First);
    }

    [Fact]
    public async Task A_chain_store_that_went_back_in_time_is_noticed()
    {
        var store = new SwitchableStorage();
        await using var cluster = await KawaCluster.Start(2, configure: silo => UseStorage(silo, store));
        var log = await new PlainLog(cluster.Client, "orders").Create();
        await log.Append(PlainLog.Batch(1));
        var copy = store.Copy();
        var chain = await log.Directory.GetChain();
        await log.Directory.OpenWriteSegment(chain.WriteSegment!.Id, 0);

        store.Restore(copy);

        var error = await Assert.ThrowsAsync<ChainStoreException>(() => log.Directory.GetChain());
        Assert.Equal(ChainStoreProblem.RolledBack, error.Problem);
    }

    [Fact]
    public async Task A_node_whose_record_went_back_with_the_store_votes_again_once_the_operator_had_the_records_written_anew()
    {
        var store = new SwitchableStorage();
        var root = KawaCluster.NewRoot();
        try
        {
            Dictionary<string, (object State, string Tag)> copy;
            await using (var cluster = await KawaCluster.Start(1, root, silo => UseStorage(silo, store)))
            {
                await new PlainLog(cluster.Client, "orders").Append(PlainLog.Batch(5));
                copy = store.Copy();
            }

            await using (var cluster = await KawaCluster.Start(1, root, silo => UseStorage(silo, store)))
            {
                await new PlainLog(cluster.Client, "orders").Append(PlainLog.Batch(1));
            }

            store.Restore(copy);
            await using (var cluster = await KawaCluster.Start(1, root, silo => UseStorage(silo, store)))
            {
                var health = await cluster.Service<KawaHealthCheck>(0).CheckHealthAsync(new HealthCheckContext());
                Assert.Equal(HealthStatus.Degraded, health.Status);
                Assert.Contains("went back in time", health.Description, StringComparison.Ordinal);
                var log = new PlainLog(cluster.Client, "orders");
                Assert.Equal(6, (await log.Read()).Count);

                await cluster.Client.GetGrain<IEventStoreGrain>(0).Rebuild([]);

                Assert.Equal(6, (await log.Append(PlainLog.Batch(1))).First);
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static void UseStorage(ISiloBuilder silo, SwitchableStorage store)
    {
        silo.Services.Configure<KawaEventStoreOptions>(options =>
        {
            options.ChainStorePath = null;
            options.UseGrainStorageForChains = true;
        });
        silo.Services.AddGrainStorage(KawaEventStoreOptions.ChainStorageName, (_, _) => store);
    }

    /// <summary>A grain storage that all silos share, as a database is shared, and that can be away, lost or rolled back.</summary>
    private sealed class SwitchableStorage : IGrainStorage
    {
        private readonly Lock _gate = new();
        private Dictionary<string, (object State, string Tag)> _records = [];
        private int _tags;

        public bool IsAway { get; set; }

        public void Lose() => Restore([]);

        public Dictionary<string, (object State, string Tag)> Copy()
        {
            lock (_gate)
            {
                return new Dictionary<string, (object, string)>(_records);
            }
        }

        public void Restore(Dictionary<string, (object State, string Tag)> records)
        {
            lock (_gate)
            {
                _records = records;
            }
        }

        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Do(() =>
        {
            var found = _records.TryGetValue($"{stateName}/{grainId}", out var record);
            grainState.State = found ? (T)record.State : Activator.CreateInstance<T>();
            grainState.ETag = found ? record.Tag : null!;
            grainState.RecordExists = found;
        });

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Do(() =>
        {
            Compare($"{stateName}/{grainId}", grainState.ETag);
            grainState.ETag = $"tag-{++_tags}";
            grainState.RecordExists = true;
            _records[$"{stateName}/{grainId}"] = (grainState.State!, grainState.ETag);
        });

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Do(() =>
        {
            Compare($"{stateName}/{grainId}", grainState.ETag);
            _records.Remove($"{stateName}/{grainId}");
            grainState.RecordExists = false;
        });

        private void Compare(string key, string? expected)
        {
            var actual = _records.TryGetValue(key, out var record) ? record.Tag : null;
            if (actual != expected)
            {
                throw new InconsistentStateException($"{key}: the tag is {actual}, not {expected}");
            }
        }

        private Task Do(Action work)
        {
            if (IsAway)
            {
                return Task.FromException(new IOException("the store is away"));
            }

            lock (_gate)
            {
                work();
            }

            return Task.CompletedTask;
        }
    }
}
