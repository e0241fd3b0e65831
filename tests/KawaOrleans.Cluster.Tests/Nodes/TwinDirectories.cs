using KawaOrleans.Server;
using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Nodes;

/// <summary>The data directory of a cluster of one silo, which took some events and stopped, and a copy of it. A silo on either uses the chain store of
/// the original.</summary>
internal sealed class TwinDirectories : IDisposable
{
    private TwinDirectories()
    {
    }

    public string Root { get; } = KawaCluster.NewRoot();

    public string Elsewhere { get; } = KawaCluster.NewRoot();

    public static async Task<TwinDirectories> Make(int events)
    {
        var twins = new TwinDirectories();
        try
        {
            await using (var cluster = await twins.StartOriginal())
            {
                await new PlainLog(cluster.Client, "orders").Append(PlainLog.Batch(events));
            }

            Copy(KawaCluster.DataDirectory(twins.Root, 0), KawaCluster.DataDirectory(twins.Elsewhere, 0));
            return twins;
        }
        catch
        {
            twins.Dispose();
            throw;
        }
    }

    public Task<KawaCluster> StartOriginal() => KawaCluster.Start(1, Root);

    public Task<KawaCluster> StartCopy() => KawaCluster.Start(1, Elsewhere, silo =>
        silo.Services.Configure<KawaEventStoreOptions>(options => options.ChainStorePath = KawaCluster.ChainStore(Root)));

    public static void Copy(string from, string to)
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

    public void Dispose()
    {
        Directory.Delete(Root, recursive: true);
        if (Directory.Exists(Elsewhere))
        {
            Directory.Delete(Elsewhere, recursive: true);
        }
    }
}
