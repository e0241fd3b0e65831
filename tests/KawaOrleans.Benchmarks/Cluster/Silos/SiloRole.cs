using System.Globalization;
using KawaOrleans.Server;
using KawaOrleans.Silo.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KawaOrleans.Benchmarks.Cluster.Silos;

/// <summary>This program as a silo: configured as <c>silo/</c> configures its own, with <see cref="ILimitGrain"/> besides.</summary>
internal static class SiloRole
{
    public const string Name = "silo-role";

    /// <param name="arguments">Node, data directory, chain store, silo port, gateway port, the limit of healing or 0, whether it uses our transport, and the first silo's port or nothing.</param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var node = new KawaNodeOptions
        {
            NodeName = arguments[0],
            DataDirectory = arguments[1],
            ChainStorePath = arguments[2],
            SiloPort = int.Parse(arguments[3], CultureInfo.InvariantCulture),
            GatewayPort = int.Parse(arguments[4], CultureInfo.InvariantCulture),
            Join = arguments.Length > 7 ? $"127.0.0.1:{arguments[7]}" : null,
        };
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.UseOrleans(silo =>
        {
            silo.UseKawaNode(node);
            if (bool.Parse(arguments[6]))
            {
                silo.Services.UseKawaTransport();
            }
        });
        if (long.Parse(arguments[5], CultureInfo.InvariantCulture) is var healing and > 0)
        {
            builder.Services.Configure<KawaEventStoreOptions>(options => options.HealingBytesPerSecond = healing);
        }

        using var host = builder.Build();
        await host.RunAsync();
        return 0;
    }
}
