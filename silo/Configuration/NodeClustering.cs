using System.Net;
using KawaOrleans.Server;
using Orleans.Configuration;

namespace KawaOrleans.Silo.Configuration;

/// <summary>How this silo finds the others, and how soon it takes one for dead. docs/OPERATIONS.md explains the values.</summary>
internal static class NodeClustering
{
    private const string UsualChainStorePath = "./kawa-chains";

    public static ISiloBuilder UseKawaNode(this ISiloBuilder silo, KawaNodeOptions node)
    {
        if (node.Redis is { } redis)
        {
            silo.UseRedis(redis);
        }
        else
        {
            // The first silo keeps the membership table in its memory: for one machine. See docs/OPERATIONS.md, "Clustering".
            silo.UseDevelopmentClustering(node.Join is { } join && HostAndPort.TryParse(join, out var first) ? first.Resolve() : null!);
        }

        silo.ConfigureEndpoints(IPAddress.Parse(node.AdvertisedAddress), node.SiloPort, node.GatewayPort);
        silo.Configure<ClusterOptions>(cluster =>
        {
            cluster.ClusterId = node.ClusterId;
            cluster.ServiceId = node.ServiceId;
        });

        // Grains are pinned to the silo that owns the files, so nothing is gained by waiting before a dead one is declared dead,
        // and its calls hang meanwhile. One vote, since in a cluster of two or three silos a second voter may not be there.
        silo.Configure<ClusterMembershipOptions>(static membership =>
        {
            membership.ProbeTimeout = TimeSpan.FromSeconds(1);
            membership.NumMissedProbesLimit = 2;
            membership.NumVotesForDeathDeclaration = 1;
        });

        // The lease guards against two activations of one grain. Files are guarded by their lock and by epochs; the lease
        // would only keep a returned node from being called for up to half a minute.
        silo.Configure<GrainDirectoryOptions>(static directory => directory.RangeLeaseDuration = TimeSpan.Zero);

        return silo.AddKawaEventStore(store =>
        {
            store.DataDirectory = Path.GetFullPath(node.DataDirectory);
            store.NodeName = node.NodeName;
            store.UseGrainStorageForChains = node.Redis is not null;
            store.ChainStorePath = node.Redis is null ? Path.GetFullPath(node.ChainStorePath ?? UsualChainStorePath) : null;
            store.NewLogs = node.NewLogs();
        });
    }

    private static void UseRedis(this ISiloBuilder silo, string place)
    {
        silo.UseRedisClustering(membership => membership.ConfigurationOptions = RedisPlace.Parse(place));
        silo.AddRedisGrainStorage(KawaEventStoreOptions.ChainStorageName, chains =>
        {
            chains.ConfigurationOptions = RedisPlace.Parse(place);
            chains.DeleteStateOnClear = true;
        });
        silo.Services.AddHostedService(services => new RedisDurability(place, services.GetRequiredService<ILogger<RedisDurability>>()));
    }
}
