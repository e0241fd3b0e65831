using KawaOrleans.Server;
using KawaOrleans.Server.ChainStore;
using KawaOrleans.Silo.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Storage;

namespace KawaOrleans.Cluster.Tests.ChainStore;

/// <summary>The chain store on a storage provider of Orleans, without a silo around it.</summary>
internal sealed class ProviderChains : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly SiloLifecycleSubject _lifecycle;

    private ProviderChains(IHost host, SiloLifecycleSubject lifecycle, OrleansChainRecords records) => (_host, _lifecycle, Records) = (host, lifecycle, records);

    public OrleansChainRecords Records { get; }

    /// <param name="use">Registers the provider.</param>
    /// <param name="patience">How long a call may take: the chain store's own unless given.</param>
    /// <param name="serviceId">Whose records; those of all tests with the same store unless given.</param>
    public static async Task<ProviderChains> OpenAsync(Action<ISiloBuilder> use, TimeSpan? patience = null, string serviceId = "kawa")
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleans(silo => use(silo.UseLocalhostClustering(serviceId: serviceId)));
        var host = builder.Build();
        var storage = host.Services.GetRequiredKeyedService<IGrainStorage>(KawaEventStoreOptions.ChainStorageName);
        var lifecycle = new SiloLifecycleSubject(host.Services.GetRequiredService<ILogger<SiloLifecycleSubject>>());
        ((ILifecycleParticipant<ISiloLifecycle>)storage).Participate(lifecycle);
        await lifecycle.OnStart();
        return new ProviderChains(host, lifecycle, new OrleansChainRecords(storage, TimeProvider.System, patience));
    }

    /// <summary>A Redis, with the client's settings of <c>silo/</c>.</summary>
    /// <param name="silo">What gets it.</param>
    /// <param name="place">Where it is.</param>
    /// <param name="keepRemoved">Keeps a row for a removed record, as the provider does unless told otherwise.</param>
    public static void UseRedis(ISiloBuilder silo, string place, bool keepRemoved = false) => silo.AddRedisGrainStorage(KawaEventStoreOptions.ChainStorageName, chains =>
    {
        chains.ConfigurationOptions = RedisPlace.Parse(place);
        chains.DeleteStateOnClear = !keepRemoved;
    });

    public async ValueTask DisposeAsync()
    {
        await _lifecycle.OnStop();
        _host.Dispose();
    }
}
