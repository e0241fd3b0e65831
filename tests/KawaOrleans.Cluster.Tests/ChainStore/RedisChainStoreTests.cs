using KawaOrleans.Server.ChainStore;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Tests.Redis;

namespace KawaOrleans.Cluster.Tests.ChainStore;

/// <summary>The chain store on a real Redis, whose append-only file is synced before each answer.</summary>
public sealed class RedisChainStoreTests() : RedisContract(keepsRemoved: false)
{
    [SkippableFact]
    public async Task Two_processes_do_3000_swaps_and_none_is_lost()
    {
        const int Swaps = 1500;
        var records = await Open();
        var record = (await records.SwapChain("orders", null, NewChain("orders"), default))!;
        using var first = Swapper.Start("redis", Redis.Place, "orders", Swaps);
        using var second = Swapper.Start("redis", Redis.Place, "orders", Swaps);
        await Swapper.EndAsync(first);
        await Swapper.EndAsync(second);
        Assert.Equal(record.Value.Version + (2 * Swaps), (await records.ReadChain("orders", default))!.Value.Version);
    }

    [SkippableFact]
    public async Task A_swap_that_was_confirmed_is_there_after_the_server_was_killed()
    {
        Skip.If(RedisProcess.WhyNot is not null, RedisProcess.WhyNot);
        var random = new Random(1);
        await using var own = await OpenAsync(Redis.Place);
        var last = (await own.Records.SwapChain("orders", null, NewChain("orders"), default))!;
        var rounds = Environment.GetEnvironmentVariable("KAWA_SWEEP") == "full" ? 100 : 5;
        for (var round = 0; round < rounds; round++)
        {
            var kill = Task.Delay(random.Next(5, 60)).ContinueWith(_ => Redis.Kill(), TaskScheduler.Default);
            var asked = last.Value;
            try
            {
                while (true)
                {
                    asked = last.Value with { Version = last.Value.Version + 1 };
                    last = (await own.Records.SwapChain("orders", last, asked, default))!;
                    Assert.NotNull(last);
                }
            }
            catch (ChainStoreException unknown)
            {
                Assert.Equal(ChainStoreProblem.Away, unknown.Problem);
            }

            await kill;
            Redis.Start();
            var found = await ReadWhenBack(own.Records);
            Assert.True(found.Value.Version == asked.Version || (found.Value.Version == last.Value.Version && found.Tag == last.Tag),
                $"round {round}: {last.Value.Version} was confirmed, {asked.Version} asked, {found.Value.Version} is there");
            last = found;
        }
    }

    [SkippableFact]
    public async Task A_swap_whose_answer_is_lost_has_an_unknown_outcome_and_took_effect_once()
    {
        var direct = await Open();
        using var between = LostAnswers.Before(Redis.Port);
        await using var own = await OpenAsync(between.Place);
        for (var round = 0; round < 10; round++)
        {
            var log = $"orders-{round}";
            var first = (await own.Records.SwapChain(log, null, NewChain(log), default))!;

            between.LoseNext(LostAnswers.Loss.Answer);
            var unknown = await Assert.ThrowsAsync<ChainStoreException>(() => own.Records.SwapChain(log, first, first.Value with { Version = 2 }, default));
            Assert.Equal(ChainStoreProblem.Away, unknown.Problem);
            Assert.Contains("unknown", unknown.Message, StringComparison.Ordinal);

            // It was done, once, and whoever asks again with what it knew loses.
            var second = (await direct.ReadChain(log, default))!;
            Assert.Equal(2, second.Value.Version);
            Assert.Null(await ReadWhenBackThen(own.Records, () => own.Records.SwapChain(log, first, first.Value with { Version = 2 }, default)));
            Assert.Equal(second.Tag, (await own.Records.ReadChain(log, default))!.Tag);
        }
    }

    [SkippableFact]
    public async Task A_swap_that_is_lost_on_its_way_has_an_unknown_outcome_and_took_no_effect()
    {
        var direct = await Open();
        using var between = LostAnswers.Before(Redis.Port);
        await using var own = await OpenAsync(between.Place);
        var first = (await own.Records.SwapChain("orders", null, NewChain("orders"), default))!;
        for (var round = 0; round < 10; round++)
        {
            between.LoseNext(LostAnswers.Loss.Request);
            await Assert.ThrowsAsync<ChainStoreException>(() => own.Records.SwapChain("orders", first, first.Value with { Version = 2 }, default));
            Assert.Equal(first.Tag, (await direct.ReadChain("orders", default))!.Tag);
            await ReadWhenBack(own.Records);
        }

        Assert.NotNull(await own.Records.SwapChain("orders", first, first.Value with { Version = 2 }, default));
    }

    private static Task<ProviderChains> OpenAsync(string place) => ProviderChains.OpenAsync(silo => ProviderChains.UseRedis(silo, place));

    private static Chain NewChain(string log) => ChainRules.New(Guid.NewGuid(), log, new LogOptions());

    /// <summary>Reads as soon as the connection is back.</summary>
    private static Task<Versioned<Chain>> ReadWhenBack(OrleansChainRecords records) =>
        ReadWhenBackThen(records, async () => (await records.ReadChain("orders", default))!);

    private static async Task<T> ReadWhenBackThen<T>(OrleansChainRecords records, Func<Task<T>> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await records.ReadCatalogue(default);
                return await call();
            }
            catch (ChainStoreException) when (attempt < 100)
            {
                await Task.Delay(50);
            }
        }
    }
}

/// <summary>The same where the provider keeps a row for what was removed, as it does unless told otherwise.</summary>
public sealed class RedisThatKeepsRemovedTests() : RedisContract(keepsRemoved: true);
