using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace KawaOrleans.ClientSample.Cluster;

/// <summary>Three silos in this process, each with its own data directory, on free ports of the loopback address.</summary>
internal sealed class OwnCluster : IAsyncDisposable
{
    private const string ClusterId = "kawa-sample";

    private readonly List<IHost> _silos;
    private readonly RunningCluster _client;

    private OwnCluster(List<IHost> silos, RunningCluster client)
    {
        _silos = silos;
        _client = client;
    }

    public static IReadOnlyList<string> Nodes { get; } = ["node-1", "node-2", "node-3"];

    public IEventStoreClient EventStore => _client.EventStore;

    public static async Task<OwnCluster> StartAsync(string directory, CancellationToken cancellation)
    {
        var ports = FreePorts(Nodes.Count * 2);
        var first = new IPEndPoint(IPAddress.Loopback, ports[0]);
        var silos = new List<IHost>();
        try
        {
            for (var i = 0; i < Nodes.Count; i++)
            {
                var silo = BuildSilo(Nodes[i], directory, first, siloPort: ports[i * 2], gatewayPort: ports[(i * 2) + 1]);
                silos.Add(silo);
                await silo.StartAsync(cancellation);
            }

            var gateways = Nodes.Select((_, i) => new IPEndPoint(IPAddress.Loopback, ports[(i * 2) + 1]));

            // These silos share one process and its processors: while one of them starts, another may be silent and yet alive.
            return new OwnCluster(silos, await RunningCluster.ConnectAsync(
                ClusterId, [.. gateways], cancellation, static client => client.NodeSilence = TimeSpan.FromSeconds(15)));
        }
        catch
        {
            await StopAsync(silos);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await StopAsync(_silos);
    }

    private static IHost BuildSilo(string node, string directory, IPEndPoint first, int siloPort, int gatewayPort)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleans(silo => silo
            .UseLocalhostClustering(siloPort, gatewayPort, first, ClusterId, ClusterId)
            .Configure<GrainDirectoryOptions>(static grains => grains.RangeLeaseDuration = TimeSpan.Zero)
            .AddKawaEventStore(store =>
            {
                store.NodeName = node;
                store.DataDirectory = Path.Combine(directory, node);
                store.ChainStorePath = Path.Combine(directory, "chains");
            }));
        return builder.Build();
    }

    /// <summary>The first silo keeps the cluster's membership, so it goes last.</summary>
    private static async Task StopAsync(List<IHost> silos)
    {
        for (var i = silos.Count - 1; i >= 0; i--)
        {
            await silos[i].StopAsync();
            silos[i].Dispose();
        }
    }

    /// <summary>Ports that are free now, all taken at the same time so that they differ.</summary>
    private static List<int> FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(static _ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        try
        {
            listeners.ForEach(static listener => listener.Start());
            return listeners.ConvertAll(static listener => ((IPEndPoint)listener.LocalEndpoint).Port);
        }
        finally
        {
            listeners.ForEach(static listener => listener.Dispose());
        }
    }
}
