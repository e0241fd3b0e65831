using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Networking.Shared;

namespace KawaOrleans.Client;

/// <summary>A cluster client of one gateway. What it sends enters the cluster there. It speaks, signs and filters as the host's own does.</summary>
internal sealed class NodeGateway : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private NodeGateway(ServiceProvider services)
    {
        _services = services;
        Segments = new SegmentReferences(services.GetRequiredService<IGrainFactory>());
    }

    /// <summary>The cluster's segments, by this gateway.</summary>
    public SegmentReferences Segments { get; }

    /// <summary>Connects.</summary>
    /// <param name="host">The services of the process, with a cluster client in them.</param>
    /// <param name="gateway">Where.</param>
    /// <param name="lost">Called when the connection is lost.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public static async Task<NodeGateway> ConnectAsync(IServiceProvider host, IPEndPoint gateway, Action lost, CancellationToken cancellation)
    {
        var made = new NodeGateway(Services(host, gateway, lost));
        try
        {
            foreach (var service in made._services.GetServices<IHostedService>())
            {
                await service.StartAsync(cancellation).ConfigureAwait(false);
            }

            return made;
        }
        catch
        {
            await made._services.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services.GetServices<IHostedService>())
        {
            await service.StopAsync(CancellationToken.None).ConfigureAwait(false);
        }

        await _services.DisposeAsync().ConfigureAwait(false);
    }

    private static ServiceProvider Services(IServiceProvider host, IPEndPoint gateway, Action lost)
    {
        var services = new ServiceCollection();
        services.AddSingleton(host.GetRequiredService<ILoggerFactory>());
        Share<ClusterOptions>(host, services);
        Share<ClientMessagingOptions>(host, services);
        Share<ClientConnectionOptions>(host, services);
        Share<ConnectionOptions>(host, services);
        Share<SocketConnectionOptions>(host, services);
        foreach (var filter in host.GetServices<IOutgoingGrainCallFilter>())
        {
            services.AddSingleton(filter);
        }

        services.AddOrleansClient(client => client.UseStaticClustering(gateway).AddClusterConnectionLostHandler((_, _) => lost()));
        // The last one registered is the one in use.
        if (host.GetKeyedServices<IConnectionFactory>(KeyedService.AnyKey).LastOrDefault() is { } transport)
        {
            var stock = services.Single(static service => service.IsKeyedService && service.ServiceType == typeof(IConnectionFactory));
            services.Remove(stock);
            services.AddKeyedSingleton(stock.ServiceKey, transport);
        }

        return services.BuildServiceProvider();
    }

    private static void Share<TOptions>(IServiceProvider host, ServiceCollection services)
        where TOptions : class => services.AddSingleton(host.GetRequiredService<IOptions<TOptions>>());
}
