using KawaOrleans.Server.Protocol;
using KawaOrleans.Tests.Redis;

namespace KawaOrleans.Cluster.Tests.ChainStore;

/// <summary>What a chain store must do, on a Redis of its own.</summary>
/// <param name="keepsRemoved">Whether the provider keeps a row for what was removed.</param>
public abstract class RedisContract(bool keepsRemoved) : ChainRecordsContract, IAsyncLifetime
{
    private RedisProcess? _redis;
    private ProviderChains _chains = null!;

    private protected RedisProcess Redis => _redis!;

    public async Task InitializeAsync()
    {
        if (RedisProcess.WhyNot is null)
        {
            _redis = RedisProcess.StartOrSkip();
            var place = _redis.Place;
            _chains = await ProviderChains.OpenAsync(silo => ProviderChains.UseRedis(silo, place, keepsRemoved));
        }
    }

    public async Task DisposeAsync()
    {
        if (_redis is not null)
        {
            await _chains.DisposeAsync();
            _redis.Dispose();
        }
    }

    private protected override Task<IChainRecords> Open()
    {
        Skip.If(RedisProcess.WhyNot is not null, RedisProcess.WhyNot);
        return Task.FromResult<IChainRecords>(_chains.Records);
    }
}
