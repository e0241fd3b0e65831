using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Hosting;
using Orleans.Runtime.Hosting;
using Orleans.Storage;

namespace KawaOrleans.Server.ChainStore;

/// <summary>Where a silo keeps chains and catalogue.</summary>
internal static class ChainStoreRegistration
{
    /// <summary>The name that the grain storage for chains is registered under, the embedded one or another.</summary>
    public const string StorageName = "kawa-chains";

    /// <summary>Registers the embedded chain store: one directory for all silos of this host.</summary>
    public static ISiloBuilder AddFileChainStore(this ISiloBuilder builder, string path)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddGrainStorage(
            StorageName, (services, _) => new FileChainStorage(path, services.GetRequiredService<TimeProvider>()));
        return builder;
    }

    /// <summary>Registers the chain store on whatever grain storage has the name.</summary>
    public static IServiceCollection AddChainRecords(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new OrleansChainRecords(
            provider.GetRequiredKeyedService<IGrainStorage>(StorageName), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IChainRecords>(static provider => provider.GetRequiredService<OrleansChainRecords>());
        return services;
    }
}
