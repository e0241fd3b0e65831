using KawaOrleans.Server;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KawaOrleans.Cluster.Tests.Nodes;

public sealed class DataDirectoryTests
{
    [Fact]
    public async Task A_directory_that_another_silo_has_is_refused_and_that_silo_goes_on()
    {
        var root = KawaCluster.NewRoot();
        try
        {
            await using var cluster = await KawaCluster.Start(1, root);
            var error = await Assert.ThrowsAnyAsync<Exception>(() => KawaCluster.Start(1, root));
            Assert.Contains("in use by another process", error.ToString(), StringComparison.Ordinal);

            var log = new PlainLog(cluster.Client, "fine");
            await log.Append(PlainLog.Batch(1));
            Assert.Single(await log.Read());
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public async Task A_directory_of_another_cluster_is_refused()
    {
        var (one, other) = (KawaCluster.NewRoot(), KawaCluster.NewRoot());
        try
        {
            foreach (var root in new[] { one, other })
            {
                await using var cluster = await KawaCluster.Start(1, root);
                await new PlainLog(cluster.Client, "orders").Append(PlainLog.Batch(1));
            }

            Directory.Delete(KawaCluster.DataDirectory(one, 0), recursive: true);
            Directory.Move(KawaCluster.DataDirectory(other, 0), KawaCluster.DataDirectory(one, 0));
            var error = await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                await using var cluster = await KawaCluster.Start(1, one);
            });
            Assert.Contains("belongs to the cluster", error.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(one, recursive: true);
            Directory.Delete(other, recursive: true);
        }
    }

    [Fact]
    public async Task A_file_that_cannot_be_trusted_is_told_by_describe_and_health_and_never_skipped()
    {
        var root = KawaCluster.NewRoot();
        try
        {
            Chain chain;
            string damaged;
            await using (var cluster = await KawaCluster.Start(1, root))
            {
                var log = await new PlainLog(cluster.Client, "orders").Create();
                for (var i = 0; i < 30; i++)
                {
                    await log.Append(PlainLog.Batch(20, bytes: 200));
                }

                await new PlainLog(cluster.Client, "other").Append(PlainLog.Batch(1));
                chain = await log.Directory.GetChain();
                damaged = (await log.Grain(chain.Segments[0]).GetStats()).Path;

                // What the segment holds of streams has to be known elsewhere before it is lost.
                for (var attempt = 0; attempt < 100 && Directory.GetFiles(Path.GetDirectoryName(damaged)!, "heads-*.run").Length == 0; attempt++)
                {
                    await Task.Delay(50);
                }
            }

            await using (var file = File.OpenWrite(damaged))
            {
                file.Position = 8;
                file.Write([0xFF, 0xFF, 0xFF, 0xFF]);
            }

            await using (var cluster = await KawaCluster.Start(1, root))
            {
                var log = new PlainLog(cluster.Client, "orders");
                var read = await Assert.ThrowsAsync<SegmentFaultedException>(() => log.Read());
                Assert.Contains(damaged, read.Message, StringComparison.Ordinal);
                var description = await log.DescribeSealed();
                Assert.Equal(ReplicaState.Damaged, description.Segments[0].State);
                Assert.Contains(damaged, description.Segments[0].Problem, StringComparison.Ordinal);
                Assert.Equal(ReplicaState.Sealed, description.Segments[1].State);
                var node = Assert.Single(await cluster.Client.GetGrain<IEventStoreGrain>(0).DescribeNodes());
                Assert.Contains(node.Problems, problem => problem.Contains(damaged, StringComparison.Ordinal));
                var health = await cluster.Service<KawaHealthCheck>(0).CheckHealthAsync(new HealthCheckContext());
                Assert.Equal(HealthStatus.Degraded, health.Status);
                Assert.Contains(damaged, health.Data.Keys);

                // The log still takes writes, and what is whole is read.
                var appended = await log.Append(PlainLog.Batch(1, tag: "after"));
                Assert.Equal(600, appended.First);
                var rest = await log.Read(new RangeQuery { From = chain.Segments[1].Base });
                Assert.Equal(601 - chain.Segments[1].Base, rest.Count);
                Assert.Single(await new PlainLog(cluster.Client, "other").Read());
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
