using KawaOrleans.Silo.Configuration;
using KawaOrleans.Tests.Redis;
using StackExchange.Redis;

namespace KawaOrleans.Faults.Tests.Silos;

public sealed class RedisDurabilityTests
{
    [SkippableTheory]
    [InlineData(null, null)]
    [InlineData("appendfsync", "everysec")]
    [InlineData("appendonly", "no")]
    [InlineData("maxmemory-policy", "allkeys-lru")]
    public async Task A_Redis_that_may_forget_what_it_confirmed_is_named_by_its_setting(string? setting, string? value)
    {
        using var redis = RedisProcess.StartOrSkip();
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{redis.Place},allowAdmin=true");
        var server = connection.GetServers()[0];
        if (setting is not null)
        {
            await server.ConfigSetAsync(setting, value!);
        }

        var problems = await RedisDurability.ProblemsAsync(server);
        Assert.Equal(setting is null ? 0 : 1, problems.Count);
        Assert.All(problems, problem => Assert.StartsWith($"{setting} is {value}, not ", problem, StringComparison.Ordinal));
    }
}
