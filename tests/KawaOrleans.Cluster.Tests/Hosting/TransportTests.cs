using KawaOrleans.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

namespace KawaOrleans.Cluster.Tests.Hosting;

/// <summary>A cluster over TCP whose silos and client use the transport with large pieces, some of them at least.</summary>
public sealed class TransportTests
{
    private const string RootKey = "kawa-root";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Large_and_small_events_pass_between_silos_and_clients_whether_or_not_both_have_it(bool client)
    {
        var root = KawaCluster.NewRoot();
        var builder = new TestClusterBuilder(2);
        builder.Options.ConfigureFileLogging = false;
        builder.Options.ConnectionTransport = ConnectionTransportType.TcpSocket;
        builder.Properties[RootKey] = root;
        builder.AddSiloBuilderConfigurator<Node>();
        if (client)
        {
            builder.AddClientBuilderConfigurator<Client>();
        }

        var cluster = builder.Build();
        try
        {
            await cluster.DeployAsync();
            Assert.Equal(client, ((IClusterClient)cluster.Client).ServiceProvider.GetKeyedServices<IConnectionFactory>(KeyedService.AnyKey).Single() is SocketConnections);
            foreach (var i in Enumerable.Range(0, 3))
            {
                var log = await new PlainLog((IClusterClient)cluster.Client, $"log-{i}").Create(16 * 1024 * 1024);
                await log.Append(PlainLog.Batch(1, bytes: 3_000_000, tag: "large"));
                await log.Append(PlainLog.Batch(1000, bytes: 100, tag: "small"));
                var events = await log.Read();
                Assert.Equal(["large/0", .. Enumerable.Range(0, 1000).Select(n => $"small/{n}")], events.Select(PlainLog.TagOf));
            }
        }
        finally
        {
            await cluster.StopAllSilosAsync();
            await cluster.DisposeAsync();
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public void Services_without_a_silo_or_client_are_refused() =>
        Assert.Throws<InvalidOperationException>(() => new ServiceCollection().UseKawaTransport());

    private sealed class Client : IClientBuilderConfigurator
    {
        public void Configure(IConfiguration configuration, IClientBuilder clientBuilder) => clientBuilder.Services.UseKawaTransport();
    }

    private sealed class Node : ISiloConfigurator
    {
        public void Configure(ISiloBuilder siloBuilder)
        {
            var root = siloBuilder.Configuration[RootKey]!;
            var name = siloBuilder.Configuration["Orleans:Name"]!.ToLowerInvariant().Replace('_', '-');
            siloBuilder.AddKawaEventStore(options =>
            {
                options.DataDirectory = Path.Combine(root, "nodes", name);
                options.NodeName = name;
                options.ChainStorePath = KawaCluster.ChainStore(root);
            });
            siloBuilder.Services.UseKawaTransport();
        }
    }
}
