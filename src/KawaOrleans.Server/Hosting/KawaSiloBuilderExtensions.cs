using KawaOrleans.Server;
using KawaOrleans.Server.ChainStore;
using KawaOrleans.Server.Healing;
using KawaOrleans.Server.Logs;
using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Placement;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Server.Queries;
using KawaOrleans.Server.Segments;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Runtime.Hosting;
using Orleans.Storage;

namespace Orleans.Hosting;

/// <summary>Makes a silo a node of the event store.</summary>
public static class KawaSiloBuilderExtensions
{
    /// <summary>Opens the node's data directory with the silo and serves its segments. Leaves the silo's clustering, endpoints and
    /// membership settings alone.</summary>
    /// <param name="builder">The silo.</param>
    /// <param name="configure">Sets the options; may be null when they are bound from configuration.</param>
    public static ISiloBuilder AddKawaEventStore(this ISiloBuilder builder, Action<KawaEventStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        var options = services.AddOptions<KawaEventStoreOptions>();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        if (services.Any(static service => service.ServiceType == typeof(NodeHost)))
        {
            return builder; // called before: only the options add up
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IConfigurationValidator, KawaEventStoreOptionsValidator>();
        services.AddOptions<SiloOptions>().PostConfigure<IOptions<KawaEventStoreOptions>>(
            static (silo, kawa) => silo.SiloName = kawa.Value.NodeName ?? silo.SiloName);

        // A leased range of the grain directory would keep a restarted node's grains waiting. Files are guarded by the store
        // itself, so two activations of one grain are harmless and the lease buys nothing.
        services.Configure<GrainDirectoryOptions>(static directory => directory.RangeLeaseDuration = TimeSpan.Zero);
        services.AddPlacementDirector<PinnedToNode, PinnedToNodeDirector>();
        services.AddGrainDirectory(PinnedGrainDirectory.Name, static (provider, _) => new PinnedGrainDirectory(provider));

        services.AddSingleton<LiveNodes>();
        services.AddSingleton<NodeHost>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(static provider => provider.GetRequiredService<NodeHost>());
        services.AddSingleton<WriterStandings>();
        services.AddSingleton<LocalNode>();
        services.AddSingleton<LocalInventory>();
        services.AddSingleton<ReplicaCompletion>();
        services.AddSingleton<OpenSegmentReports>();
        services.AddGrainService<NodeService>();
        services.AddSingleton<NodeServiceClient>();
        services.AddSingleton<NodesClient>();
        services.AddSingleton<INodes>(static provider => provider.GetRequiredService<NodesClient>());

        services.AddSingleton(ChainRecords);
        services.AddSingleton<IChainRecords>(static provider => provider.GetRequiredService<OrleansChainRecords>());
        services.AddSingleton<INodeRecords>(static provider => provider.GetRequiredService<OrleansChainRecords>());
        services.AddSingleton(static provider => new ChainChanger(
            provider.GetRequiredService<IChainRecords>(), provider.GetRequiredService<INodes>(), Guid.NewGuid,
            provider.GetRequiredService<IOptions<KawaEventStoreOptions>>().Value.NewLogs));
        services.AddSingleton<NodeRecordRebuild>();
        services.AddSingleton(static provider => new NodeReplacement(
            provider.GetRequiredService<INodeRecords>(), provider.GetRequiredService<INodes>(),
            new CatalogueChanger(provider.GetRequiredService<IChainRecords>(), provider.GetRequiredService<INodes>(), Guid.NewGuid)));
        services.AddSingleton<ChainSource>();
        services.AddSingleton<ClusterJoin>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(static provider => provider.GetRequiredService<ClusterJoin>());

        services.AddSingleton<EnsembleChange>();
        services.AddSingleton<Invitations>();
        services.AddSingleton(static provider => new Pace(
            provider.GetRequiredService<IOptions<KawaEventStoreOptions>>().Value.HealingBytesPerSecond, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<MendingNode>();
        services.AddSingleton<Healer>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(static provider => provider.GetRequiredService<Healer>());

        services.AddSingleton<KawaMetrics>();
        services.AddSingleton<QueuedBytes>();
        services.AddSingleton<RecentEvents>();
        services.AddSingleton<HeadsBefore>();
        services.AddSingleton<KawaHealthCheck>();
        services.AddSingleton<ReplicaCalls>();
        services.AddSingleton<AggregationRegistry>();
        return builder
            .AddKawaAggregation<CountAggregation>()
            .AddKawaAggregation<BytesAggregation>()
            .AddKawaAggregation<ByTypeAggregation>()
            .AddKawaAggregation<ByStreamPrefixAggregation>()
            .AddKawaAggregation<ByHourAggregation>();
    }

    /// <summary>Registers an aggregation that queries can name. Register it on every silo.</summary>
    public static ISiloBuilder AddKawaAggregation<TAggregation>(this ISiloBuilder builder)
        where TAggregation : class, IEventAggregation
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton<IEventAggregation, TAggregation>();
        return builder;
    }

    private static OrleansChainRecords ChainRecords(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<KawaEventStoreOptions>>().Value;
        var time = provider.GetRequiredService<TimeProvider>();
        var storage = options.UseGrainStorageForChains
            ? provider.GetRequiredKeyedService<IGrainStorage>(KawaEventStoreOptions.ChainStorageName)
            : new FileChainStorage(Path.GetFullPath(options.ChainStorePath ?? throw KawaEventStoreOptionsValidator.NoChainStore()), time);
        return new OrleansChainRecords(storage, time);
    }
}
