using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace KawaOrleans.Faults.Tests.Silos;

/// <summary>A client of silo processes on this machine.</summary>
internal static class ClientHost
{
    public static async Task<IHost> StartAsync(IPEndPoint[] gateways)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(client => client
            .UseStaticClustering(gateways)
            .Configure<ClusterOptions>(static cluster =>
            {
                cluster.ClusterId = "kawa";
                cluster.ServiceId = "kawa";
            })

            // Else what is called by the gateway of a silo that stands still waits for that one.
            .AddKawaClient(static kawa => kawa.DirectToNodes = true));
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    public static IEventStoreClient StoreOf(IHost host) => host.Services.GetRequiredService<IEventStoreClient>();
}
