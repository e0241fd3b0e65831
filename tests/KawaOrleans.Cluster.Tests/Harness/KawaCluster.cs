using KawaOrleans.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.TestingHost;

namespace KawaOrleans.Cluster.Tests;

/// <summary>A cluster in this process: each silo a node with a data directory of its own, one chain store for all. Silo n is the
/// node <c>node-n</c>, before and after a restart.</summary>
internal sealed class KawaCluster : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;
    private readonly Dictionary<string, InProcessSiloHandle> _restarted = [];

    private KawaCluster(InProcessTestCluster cluster, string root, bool ownsRoot)
    {
        (_cluster, Root, _ownsRoot) = (cluster, root, ownsRoot);
    }

    private readonly bool _ownsRoot;

    /// <summary>Where all nodes and the chain store have their directories.</summary>
    public string Root { get; }

    public IClusterClient Client => _cluster.Client;

    public static string NewRoot() => Directory.CreateTempSubdirectory("kawa-cluster-").FullName;

    public static string NodeName(int silo) => $"node-{silo}";

    public static string DataDirectory(string root, int silo) => Path.Combine(root, "nodes", NodeName(silo));

    public static string ChainStore(string root) => Path.Combine(root, "chains");

    public static async Task<KawaCluster> Start(
        int silos, string? root = null, Action<ISiloBuilder>? configure = null, Action<IClientBuilder>? configureClient = null)
    {
        var ownsRoot = root is null;
        root ??= NewRoot();
        var builder = new InProcessTestClusterBuilder((short)silos);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((options, silo) =>
        {
            var index = int.Parse(options.SiloName["Silo_".Length..], System.Globalization.CultureInfo.InvariantCulture);
            Configure(silo, root, index);
            configure?.Invoke(silo);
        });
        builder.ConfigureClient(client =>
        {
            client.Configure<ClientMessagingOptions>(messaging => messaging.ResponseTimeout = TimeSpan.FromSeconds(5));
            configureClient?.Invoke(client);
        });
        var cluster = builder.Build();
        try
        {
            await cluster.DeployAsync();
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }

        return new KawaCluster(cluster, root, ownsRoot);
    }

    /// <summary>What every silo of these tests has: the store, and a membership that notices a death within about a second.</summary>
    public static void Configure(ISiloBuilder silo, string root, int index)
    {
        silo.AddKawaEventStore(options =>
        {
            options.DataDirectory = DataDirectory(root, index);
            options.NodeName = NodeName(index);
            options.ChainStorePath = ChainStore(root);
        });
        silo.Configure<ClusterMembershipOptions>(membership =>
        {
            membership.ProbeTimeout = TimeSpan.FromMilliseconds(500);
            membership.NumMissedProbesLimit = 2;
            membership.NumVotesForDeathDeclaration = 1;
            membership.TableRefreshTimeout = TimeSpan.FromSeconds(3);
        });
        silo.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, EndOfDirectoryUpdates>();
    }

    /// <summary>A service of one silo.</summary>
    public T Service<T>(int silo)
        where T : notnull => Handle(silo).ServiceProvider.GetRequiredService<T>();

    public InProcessSiloHandle Handle(int silo) =>
        _restarted.GetValueOrDefault($"Silo_{silo}") ?? _cluster.Silos.Single(handle => handle.Name == $"Silo_{silo}");

    public async Task Kill(int silo)
    {
        var handle = Handle(silo);
        await _cluster.KillSiloAsync(handle);
    }

    public async Task StopGracefully(int silo) => await _cluster.StopSiloAsync(Handle(silo));

    /// <summary>Brings a stopped or killed silo back, under its name and with its directory.</summary>
    public async Task Restart(int silo) =>
        _restarted[$"Silo_{silo}"] = await _cluster.StartSiloAsync((short)silo, _cluster.Options);

    public async ValueTask DisposeAsync()
    {
        foreach (var handle in _restarted.Values)
        {
            await handle.StopSiloAsync(true);
            await handle.DisposeAsync();
        }

        await _cluster.StopAllSilosAsync();
        await _cluster.DisposeAsync();
        if (_ownsRoot)
        {
            Directory.Delete(Root, recursive: true);
        }
    }
}
