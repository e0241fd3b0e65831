using Orleans.TestingHost;

namespace KawaOrleans.Cluster.Tests.Hosting;

/// <summary>The same on TestCluster, whose silos find each other and their grains another way.</summary>
public sealed class TestClusterTests
{
    private const string RootKey = "kawa-root";

    [Fact]
    public async Task Three_silos_of_a_test_cluster_store_roll_and_aggregate()
    {
        var root = KawaCluster.NewRoot();
        var builder = new TestClusterBuilder(3);
        builder.Options.ConfigureFileLogging = false;
        builder.Properties[RootKey] = root;
        builder.AddSiloBuilderConfigurator<Node>();
        var cluster = builder.Build();
        try
        {
            await cluster.DeployAsync();
            var client = (IClusterClient)cluster.Client;
            for (var i = 0; i < 4; i++)
            {
                var log = await new PlainLog(client, $"log-{i}").Create();
                for (var batch = 0; batch < 20; batch++)
                {
                    await log.Append(PlainLog.Batch(20, bytes: 200, tag: $"{batch}"));
                }

                Assert.Equal(400, (await log.Read()).Count);
                Assert.True((await log.Directory.GetChain()).Segments.Count > 1);
                Assert.Equal(400, (await log.Directory.Aggregate(new AggregationQuery { Name = "count" })).Values["total"]);
            }

            var nodes = await client.GetGrain<IEventStoreGrain>(0).DescribeNodes();
            Assert.Equal(["primary", "secondary-1", "secondary-2"], nodes.Select(node => node.Name));
            Assert.All(nodes, node => Assert.Empty(node.Problems));
        }
        finally
        {
            await cluster.StopAllSilosAsync();
            await cluster.DisposeAsync();
            Directory.Delete(root, recursive: true);
        }
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
        }
    }
}
