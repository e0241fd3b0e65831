using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace KawaOrleans.Cli.Clusters;

/// <summary>A connection to silos that run.</summary>
internal sealed class ClusterConnection : IAsyncDisposable
{
    // The framework tries for minutes where a silo answers that is another cluster's.
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(15);

    private readonly IHost _host;

    private ClusterConnection(IHost host) => _host = host;

    /// <summary>The store as a whole.</summary>
    public IEventStoreGrain EventStore => Grains.GetGrain<IEventStoreGrain>(0);

    /// <summary>One log.</summary>
    public ISegmentDirectoryGrain Log(string name) => Grains.GetGrain<ISegmentDirectoryGrain>(name);

    private IClusterClient Grains => _host.Services.GetRequiredService<IClusterClient>();

    /// <exception cref="RefusedException">No gateway answers as one of this cluster.</exception>
    public static async Task<ClusterConnection> OpenAsync(IPEndPoint[] gateways, string clusterId, string serviceId, CancellationToken cancellation)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(client => client
            .UseStaticClustering(gateways)
            .Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (clusterId, serviceId))
            .AddKawaClient());
        var host = builder.Build();
        var starting = host.StartAsync(cancellation);
        try
        {
            await starting.WaitAsync(StartLimit, cancellation);
            return new ClusterConnection(host);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            _ = starting.ContinueWith(_ => host.Dispose(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw new RefusedException(
                $"No silo answers at {string.Join(", ", gateways.AsEnumerable())} as one of cluster '{clusterId}', service '{serviceId}': {e.Message}", ExitCode.Unusable);
        }
    }

    /// <summary>What went wrong with a call, when it is something to be said in a sentence: what was refused and changed nothing, and what has no answer.</summary>
    public static RefusedException? Explain(Exception failure) => failure switch
    {
        KawaException { IsRetryable: false } refused => new RefusedException(refused.Message, ExitCode.Damaged),
        KawaException away => new RefusedException(away.Message, ExitCode.Unusable),
        OrleansException or TimeoutException => new RefusedException(
            $"The cluster did not answer: {failure.Message} Whether it was done is unknown; the command may be repeated.", ExitCode.Unusable),
        _ => null,
    };

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
