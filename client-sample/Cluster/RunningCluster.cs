using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace KawaOrleans.ClientSample.Cluster;

/// <summary>A connection to silos that run elsewhere. This is all that an application needs.</summary>
internal sealed class RunningCluster : IAsyncDisposable
{
    private readonly IHost _host;

    private RunningCluster(IHost host) => _host = host;

    public IEventStoreClient EventStore => _host.Services.GetRequiredService<IEventStoreClient>();

    public static async Task<RunningCluster> ConnectAsync(
        string clusterId, IReadOnlyList<IPEndPoint> gateways, CancellationToken cancellation, Action<KawaClientOptions>? configure = null)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(client => client
            .UseStaticClustering([.. gateways])
            .Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (clusterId, clusterId))
            .AddKawaClient(configure));

        var host = builder.Build();
        await host.StartAsync(cancellation);
        return new RunningCluster(host);
    }

    /// <summary>Reads <c>host:port</c>.</summary>
    /// <exception cref="FormatException">It is none, or no such host is known.</exception>
    public static IPEndPoint ParseGateway(string text)
    {
        if (IPEndPoint.TryParse(text, out var endpoint) && endpoint.Port != 0)
        {
            return endpoint;
        }

        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            throw new FormatException($"A gateway is host:port, for example localhost:30000; '{text}' is not.");
        }

        try
        {
            var addresses = Dns.GetHostAddresses(text[..colon]);
            return new IPEndPoint(Array.Find(addresses, static a => a.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0], port);
        }
        catch (SocketException unknown)
        {
            throw new FormatException($"Host '{text[..colon]}' is not known: {unknown.Message}.", unknown);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
