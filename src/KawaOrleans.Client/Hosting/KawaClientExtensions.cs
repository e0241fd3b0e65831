using KawaOrleans;
using KawaOrleans.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Messaging;

namespace Orleans.Hosting;

/// <summary>Adds <see cref="IEventStoreClient"/> to a cluster client or to a silo.</summary>
public static class KawaClientExtensions
{
    /// <summary>Makes <see cref="IEventStoreClient"/> available to whoever is given this cluster client's services.</summary>
    /// <param name="builder">The cluster client.</param>
    /// <param name="configure">Changes the options; the defaults hold unless given.</param>
    public static IClientBuilder AddKawaClient(this IClientBuilder builder, Action<KawaClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddKawaClient(configure);
        return builder;
    }

    /// <summary>The same for any host with an Orleans client or silo, so that grains and hosted services beside the silo can use
    /// <see cref="IEventStoreClient"/> too.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Changes the options; the defaults hold unless given.</param>
    public static IServiceCollection AddKawaClient(this IServiceCollection services, Action<KawaClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<KawaClientOptions>().Configure(configure ?? (static _ => { })).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<KawaClientOptions>, KawaClientOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<NodeGateways>();
        services.TryAddSingleton<IEventStoreClient>(static provider =>
        {
            var options = provider.GetRequiredService<IOptions<KawaClientOptions>>().Value;
            return new EventStoreClient(Grains(provider, options), options, provider.GetRequiredService<TimeProvider>());
        });
        return services;
    }

    private static IGrains Grains(IServiceProvider provider, KawaClientOptions options)
    {
        var ordinary = new ClusterGrains(provider.GetRequiredService<IGrainFactory>());

        // Only a client outside the cluster has gateways; a silo reaches every other one itself.
        var hasGateways = provider.GetService<IGatewayListProvider>() is not null;
        return options.DirectToNodes && hasGateways ? new DirectGrains(ordinary, provider.GetRequiredService<NodeGateways>()) : ordinary;
    }
}
