using KawaOrleans.Server;
using KawaOrleans.Server.Healing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KawaOrleans.Cluster.Tests.Nodes;

/// <summary>What becomes of data directories that were copied, wiped or exchanged.</summary>
public sealed class WhoMayVoteTests
{
    [Fact]
    public async Task Of_a_directory_and_its_copy_the_one_that_starts_first_goes_on_and_the_other_is_refused()
    {
        using var twins = await TwinDirectories.Make(events: 5);
        await using (var cluster = await twins.StartOriginal())
        {
            var refusal = await Refused(twins.StartCopy);
            Assert.Equal((NodeRefusal.Copied, "node-0"), (refusal.Refusal, refusal.Node));
            Assert.Equal(5, (await new PlainLog(cluster.Client, "orders").Append(PlainLog.Batch(1))).First);
        }

        // Nor is it taken when the other one does not run.
        await Refused(twins.StartCopy);
        await using (var cluster = await twins.StartOriginal())
        {
            Assert.Equal(6, (await new PlainLog(cluster.Client, "orders").Read()).Count);
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

            TwinDirectories.Copy(directory, directory + ".old");
            await using (var cluster = await KawaCluster.Start(1, root))
            {
                await new PlainLog(cluster.Client, "orders").Append(PlainLog.Batch(5));
            }

            Directory.Move(directory, directory + ".newest");
            Directory.Move(directory + ".old", directory);
            Assert.Equal(NodeRefusal.Copied, (await Refused(() => KawaCluster.Start(1, root))).Refusal);

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
        using var twins = await TwinDirectories.Make(events: 5);
        await using var cluster = await twins.StartOriginal();

        // As a copy of the running directory, whose open files nobody else may open.
        var (original, copied) = (KawaCluster.DataDirectory(twins.Root, 0), KawaCluster.DataDirectory(twins.Elsewhere, 0));
        File.Copy(Path.Combine(original, "node"), Path.Combine(copied, "node"), overwrite: true);
        var log = new PlainLog(cluster.Client, "orders");
        await using var copy = await twins.StartCopy();
        cluster.Service<Healer>(0).Wake();
        await Until(cluster, HealthStatus.Unhealthy);

        Assert.Equal(NodeRefusal.Copied, Assert.IsType<NodeRefusedException>((await Health(cluster)).Exception).Refusal);
        var open = (await log.Directory.GetChain()).WriteSegment!;
        Assert.IsType<NotPrimary>(await log.Grain(open).Append(Block.Of(PlainLog.Batch(1))));
        Assert.Equal(5, (await new PlainLog(copy.Client, "orders").Append(PlainLog.Batch(1))).First);
    }

    /// <summary>The start waits only so long for a store that is away; what is refused after that has to be said by health.</summary>
    [Fact]
    public async Task A_copy_that_started_while_the_store_was_away_is_unhealthy_and_votes_for_nothing_once_the_store_is_back()
    {
        using var twins = await TwinDirectories.Make(events: 5);
        await using (var original = await twins.StartOriginal())
        {
            await new PlainLog(original.Client, "orders").Append(PlainLog.Batch(1));
        }

        // A file where the store's directory was: every access fails.
        var (chains, kept) = (KawaCluster.ChainStore(twins.Root), KawaCluster.ChainStore(twins.Root) + ".kept");
        Directory.Move(chains, kept);
        await File.WriteAllTextAsync(chains, "");
        await using var cluster = await twins.StartCopy();
        Assert.Equal(HealthStatus.Degraded, (await Health(cluster)).Status);
        File.Delete(chains);
        Directory.Move(kept, chains);
        await Until(cluster, HealthStatus.Unhealthy);

        Assert.Equal(NodeRefusal.Copied, Assert.IsType<NodeRefusedException>((await Health(cluster)).Exception).Refusal);
        var chain = await new PlainLog(cluster.Client, "orders").Directory.GetChain();
        var answer = await new PlainLog(cluster.Client, "orders").Grain(chain.WriteSegment!).Append(Block.Of(PlainLog.Batch(1)));
        Assert.Contains("it was copied", Assert.IsType<NotPrimary>(answer).Reason, StringComparison.Ordinal);
    }

    private static async Task Until(KawaCluster cluster, HealthStatus status)
    {
        for (var attempt = 0; (await Health(cluster)).Status != status; attempt++)
        {
            Assert.True(attempt < 200, $"It was awaited in vain that the node is {status}.");
            await Task.Delay(100);
        }
    }

    private static Task<HealthCheckResult> Health(KawaCluster cluster) => cluster.Service<KawaHealthCheck>(0).CheckHealthAsync(new HealthCheckContext());

    private static async Task<NodeRefusedException> Refused(Func<Task> start)
    {
        var error = await Assert.ThrowsAnyAsync<Exception>(start);
        return Causes(error).OfType<NodeRefusedException>().FirstOrDefault() ?? throw new InvalidOperationException("Something else was in the way.", error);
    }

    private static IEnumerable<Exception> Causes(Exception error) =>
        (error is AggregateException several ? several.InnerExceptions : error.InnerException is { } inner ? [inner] : Enumerable.Empty<Exception>())
        .SelectMany(Causes).Prepend(error);
}
