using KawaOrleans.Cluster.Tests.ChainStore;
using KawaOrleans.Server;
using KawaOrleans.Tests.Redis;
using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Logs;

/// <summary>What becomes of a cluster whose chain store is a real Redis, when that is away or was set back.</summary>
public sealed class RedisAwayTests
{
    [SkippableFact]
    public async Task While_Redis_is_away_what_is_open_is_written_everything_is_read_and_rolls_wait_until_it_is_back()
    {
        using var redis = RedisProcess.StartOrSkip();
        await using var cluster = await KawaCluster.Start(2, configure: silo => UseRedis(silo, redis));
        var log = await new PlainLog(cluster.Client, "orders").Create();
        for (var i = 0; i < 20; i++)
        {
            await log.Append(PlainLog.Batch(20, bytes: 200, tag: $"{i}"));
        }

        var chain = await log.Directory.GetChain();
        Assert.True(chain.Segments.Count > 1);
        redis.Kill();

        Assert.IsType<Appended>(await log.Grain(chain.WriteSegment!).Append(Block.Of(PlainLog.Batch(1, tag: "away"))));
        foreach (var segment in chain.Segments)
        {
            Assert.NotEmpty((await log.Grain(segment).Read(new ReadRequest { From = segment.Base })).Events.ToList());
        }

        var refusal = await Assert.ThrowsAsync<ChainStoreException>(() => log.Directory.OpenWriteSegment(chain.WriteSegment!.Id, 0));
        Assert.Equal((ChainStoreProblem.Away, true), (refusal.Problem, refusal.IsRetryable));

        redis.Start();
        Assert.NotEqual(chain.WriteSegment!.Id, (await WhenBack(() => log.Directory.OpenWriteSegment(chain.WriteSegment.Id, 0))).WriteSegment!.Id);
        Assert.Equal(402, (await log.Append(PlainLog.Batch(1, tag: "back"))).First + 1);
        Assert.Equal(402, (await log.Read()).Count);
    }

    [SkippableFact]
    public async Task A_Redis_that_was_set_back_to_an_old_copy_of_its_files_is_noticed_and_rebuilt_from_what_the_nodes_hold()
    {
        using var redis = RedisProcess.StartOrSkip();
        await using var cluster = await KawaCluster.Start(2, configure: silo => UseRedis(silo, redis));
        var log = await new PlainLog(cluster.Client, "orders").Create();
        await log.Append(PlainLog.Batch(3));
        redis.Kill();
        var copy = redis.Copy();
        redis.Start();
        var chain = await WhenBack(() => log.Directory.GetChain());
        await WhenBack(() => log.Directory.OpenWriteSegment(chain.WriteSegment!.Id, 0));
        await log.Append(PlainLog.Batch(3));

        redis.Kill();
        redis.Restore(copy);
        redis.Start();

        var error = await Assert.ThrowsAsync<ChainStoreException>(() => WhenBack(() => log.Directory.GetChain()));
        Assert.Equal(ChainStoreProblem.RolledBack, error.Problem);
        Assert.Contains("kawa rebuild", error.Message, StringComparison.Ordinal);

        // The other silo may not be connected again yet.
        await WhenBack(() => cluster.Client.GetGrain<IEventStoreGrain>(0).Rebuild([]));
        Assert.Equal(6, (await log.Append(PlainLog.Batch(1))).First);
        Assert.Equal(7, (await log.Read()).Count);
    }

    private static void UseRedis(ISiloBuilder silo, RedisProcess redis)
    {
        silo.Services.Configure<KawaEventStoreOptions>(static options =>
        {
            options.ChainStorePath = null;
            options.UseGrainStorageForChains = true;
        });
        ProviderChains.UseRedis(silo, redis.Place);
    }

    /// <summary>Repeats what the store was away for.</summary>
    private static async Task<T> WhenBack<T>(Func<Task<T>> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (ChainStoreException away) when (away.Problem == ChainStoreProblem.Away && attempt < 100)
            {
                await Task.Delay(100);
            }
        }
    }
}
