using KawaOrleans.Server;
using KawaOrleans.Server.Healing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KawaOrleans.Cluster.Tests.Nodes;

/// <summary>What becomes of data directories that were copied, wiped or exchanged.</summary>
public sealed class WhoMayVoteTests
{
    [Fact]
    public async Task Of_a_directory_and_its_copy_the_one_that_starts_first_goes_on_and_the_other_is_refused()
    {
        var (root, elsewhere) = (KawaCluster.NewRoot(), KawaCluster.NewRoot());
        try
        {
            await using (var cluster = await KawaCluster.Start(1, root))
            {
                await new PlainLog(cluster.Client, "orders").Append(PlainLog.Batch(5));
            }

            CopyDirectory(KawaCluster.DataDirectory(root, 0), KawaCluster.DataDirectory(elsewhere, 0));
            await using (var cluster = await KawaCluster.Start(1, root))
            {
                var refusal = await StartIsRefused(elsewhere, silo => UseChainsOf(root, silo));
                Assert.Equal((NodeRefusal.Copied, "node-0"), (refusal.Refusal, refusal.Node));
                Assert.Equal(5, (await new PlainLog(cluster.Client, "orders").Append(PlainLog.Batch(1))).First);
            }

            // Nor is it taken when the other one does not run.
            await StartIsRefused(elsewhere, silo => UseChainsOf(root, silo));
            await using (var cluster = await KawaCluster.Start(1, root))
            {
                Assert.Equal(6, (await new PlainLog(cluster.Client, "orders").Read()).Count);
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    [Fact]
    public async Task A_directory_set_back_to_an_older_copy_is_refused()
    {
        var root = KawaCluster.NewRoot();
        try
        {
            var directory = KawaCluster.DataDirectory(root, 0);
            await using (var cluster = await KawaCluster.Start(1, root))
            {
                await new PlainLog(cluster.Client, "orders").Append(PlainLog.Batch(5));
            }

            CopyDirectory(directory, directory + ".old");
            await using (var cluster = await KawaCluster.Start(1, root))
            {
                await new PlainLog(cluster.Client, "orders").Append(PlainLog.Batch(5));
            }

            Directory.Move(directory, directory + ".newest");
            Directory.Move(directory + ".old", directory);
            Assert.Equal(NodeRefusal.Copied, (await StartIsRefused(root)).Refusal);

            Directory.Delete(directory, recursive: true);
            Directory.Move(directory + ".newest", directory);
            await using (var cluster = await KawaCluster.Start(1, root))
            {
                Assert.Equal(10, (await new PlainLog(cluster.Client, "orders").Read()).Count);
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public async Task A_wiped_directory_is_refused_until_the_operator_gives_the_lost_one_up_and_the_lost_one_then_for_ever()
    {
        var root = KawaCluster.NewRoot();
        try
        {
            await using var cluster = await KawaCluster.Start(2, root);
            var store = cluster.Client.GetGrain<IEventStoreGrain>(0);
            var lost = (await store.DescribeNodes()).Single(node => node.Name == "node-1").Id;
            await Assert.ThrowsAsync<RequestRefusedException>(() => store.ReplaceNode("node-1")); // alive
            await Assert.ThrowsAsync<RequestRefusedException>(() => store.ReplaceNode("node-9")); // never was
            await Assert.ThrowsAsync<RequestRefusedException>(() => store.ReplaceNode("no name"));

            await cluster.StopGracefully(1);
            var directory = KawaCluster.DataDirectory(root, 1);
            Directory.Move(directory, directory + ".lost");
            var refusal = await Refused(() => cluster.Restart(1));
            Assert.Equal(NodeRefusal.OtherDirectory, refusal.Refusal);
            Assert.Contains("replace-node node-1", refusal.Message, StringComparison.Ordinal);

            await store.ReplaceNode("node-1");
            await cluster.Restart(1);
            var node = (await store.DescribeNodes()).Single(node => node.Name == "node-1");
            Assert.NotEqual(lost, node.Id);
            Assert.Empty(node.Problems);

            await cluster.StopGracefully(1);
            Directory.Delete(directory, recursive: true);
            Directory.Move(directory + ".lost", directory);
            Assert.Equal(NodeRefusal.GivenUp, (await Refused(() => cluster.Restart(1))).Refusal);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public async Task A_node_whose_copy_was_started_beside_it_stops_voting_when_it_looks_again()
    {
        var (root, elsewhere) = (KawaCluster.NewRoot(), KawaCluster.NewRoot());
        try
        {
            await using (var first = await KawaCluster.Start(1, root))
            {
                await new PlainLog(first.Client, "orders").Append(PlainLog.Batch(5));
            }

            // As a copy of the running directory, whose open files nobody else may open.
            CopyDirectory(KawaCluster.DataDirectory(root, 0), KawaCluster.DataDirectory(elsewhere, 0));
            await using var cluster = await KawaCluster.Start(1, root);
            File.Copy(Path.Combine(KawaCluster.DataDirectory(root, 0), "node"), Path.Combine(KawaCluster.DataDirectory(elsewhere, 0), "node"), overwrite: true);
            var log = new PlainLog(cluster.Client, "orders");
            await using (var copy = await KawaCluster.Start(1, elsewhere, silo => UseChainsOf(root, silo)))
            {
                cluster.Service<Healer>(0).Wake();
                var health = await Health(cluster);
                for (var attempt = 0; attempt < 200 && health.Status != HealthStatus.Unhealthy; attempt++)
                {
                    await Task.Delay(100);
                    health = await Health(cluster);
                }

                Assert.Equal(NodeRefusal.Copied, Assert.IsType<NodeRefusedException>(health.Exception).Refusal);
                var open = (await log.Directory.GetChain()).WriteSegment!;
                Assert.IsType<NotPrimary>(await log.Grain(open).Append(Block.Of(PlainLog.Batch(1))));
                Assert.Equal(5, (await new PlainLog(copy.Client, "orders").Append(PlainLog.Batch(1))).First);
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    /// <summary>The start waits only so long for a store that is away; what is refused after that has to be said by health.</summary>
    [Fact]
    public async Task A_copy_that_started_while_the_store_was_away_is_unhealthy_and_votes_for_nothing_once_the_store_is_back()
    {
        var (root, elsewhere) = (KawaCluster.NewRoot(), KawaCluster.NewRoot());
        try
        {
            await using (var cluster = await KawaCluster.Start(1, root))
            {
                await new PlainLog(cluster.Client, "orders").Append(PlainLog.Batch(5));
            }

            CopyDirectory(KawaCluster.DataDirectory(root, 0), KawaCluster.DataDirectory(elsewhere, 0));
            await using (var cluster = await KawaCluster.Start(1, root))
            {
                await new PlainLog(cluster.Client, "orders").Append(PlainLog.Batch(1));
            }

            // A file where the store's directory was: every access fails.
            var (chains, kept) = (KawaCluster.ChainStore(root), KawaCluster.ChainStore(root) + ".kept");
            Directory.Move(chains, kept);
            await File.WriteAllTextAsync(chains, "");
            await using (var cluster = await KawaCluster.Start(1, elsewhere, silo => UseChainsOf(root, silo)))
            {
                Assert.Equal(HealthStatus.Degraded, (await Health(cluster)).Status);
                File.Delete(chains);
                Directory.Move(kept, chains);
                var health = await Health(cluster);
                for (var attempt = 0; attempt < 100 && health.Status != HealthStatus.Unhealthy; attempt++)
                {
                    await Task.Delay(100);
                    health = await Health(cluster);
                }

                Assert.Equal(HealthStatus.Unhealthy, health.Status);
                Assert.Equal(NodeRefusal.Copied, Assert.IsType<NodeRefusedException>(health.Exception).Refusal);
                var chain = await new PlainLog(cluster.Client, "orders").Directory.GetChain();
                var answer = await new PlainLog(cluster.Client, "orders").Grain(chain.WriteSegment!).Append(Block.Of(PlainLog.Batch(1)));
                Assert.Contains("it was copied", Assert.IsType<NotPrimary>(answer).Reason, StringComparison.Ordinal);
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    private static Task<HealthCheckResult> Health(KawaCluster cluster) => cluster.Service<KawaHealthCheck>(0).CheckHealthAsync(new HealthCheckContext());

    private static void UseChainsOf(string root, ISiloBuilder silo) =>
        silo.Services.Configure<KawaEventStoreOptions>(options => options.ChainStorePath = KawaCluster.ChainStore(root));

    private static Task<NodeRefusedException> StartIsRefused(string root, Action<ISiloBuilder>? configure = null) => Refused(async () =>
    {
        await using var cluster = await KawaCluster.Start(1, root, configure);
    });

    private static async Task<NodeRefusedException> Refused(Func<Task> start)
    {
        var error = await Assert.ThrowsAnyAsync<Exception>(start);
        return Causes(error).OfType<NodeRefusedException>().FirstOrDefault() ?? throw new InvalidOperationException("Something else was in the way.", error);
    }

    private static IEnumerable<Exception> Causes(Exception error) =>
        (error is AggregateException several ? several.InnerExceptions : error.InnerException is { } inner ? [inner] : Enumerable.Empty<Exception>())
        .SelectMany(Causes).Prepend(error);

    private static void CopyDirectory(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var directory in Directory.GetDirectories(from, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, directory)));
        }

        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
        }
    }
}
