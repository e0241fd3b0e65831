using KawaOrleans.Tests.Redis;

namespace KawaOrleans.Faults.Tests.Replicas;

/// <summary>A Redis, and three silo processes with chains and membership in it, that the tests of a class share. Empty where there is no Redis.</summary>
public sealed class RedisFaults : IAsyncLifetime
{
    private RedisProcess? _redis;
    private ReplicatedCluster? _cluster;

    internal RedisProcess Redis => _redis!;

    internal ReplicatedCluster Cluster => _cluster!;

    public async Task InitializeAsync()
    {
        if (RedisProcess.WhyNot is null)
        {
            _redis = RedisProcess.StartOrSkip();
            _cluster = new ReplicatedCluster(_redis.Place);
            await _cluster.InitializeAsync();
        }
    }

    public async Task DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        _redis?.Dispose();
    }
}
