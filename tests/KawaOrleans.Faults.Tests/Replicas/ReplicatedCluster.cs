using System.Diagnostics;
using KawaOrleans.Faults.Tests.Importing;
using KawaOrleans.Faults.Tests.Silos;
using Orleans.Runtime;

namespace KawaOrleans.Faults.Tests.Replicas;

/// <summary>Three silo processes that the tests of a collection share, each with logs of its own; every test leaves all three running.</summary>
public sealed class ReplicatedCluster : IAsyncLifetime
{
    private static readonly LogOptions Options = new() { SegmentBytes = 256 * 1024, Replicas = 3, AckQuorum = 2 };

    private readonly IReadOnlyList<NetworkPlace>? _places;
    private readonly string? _redis;
    private int _logs;

    public ReplicatedCluster()
    {
    }

    internal ReplicatedCluster(IReadOnlyList<NetworkPlace> places) => _places = places;

    /// <summary>With chains and membership in a Redis: any silo can die alone.</summary>
    internal ReplicatedCluster(string redis) => _redis = redis;

    internal SiloProcesses Silos { get; private set; } = null!;

    public async Task InitializeAsync() => Silos = await SiloProcesses.StartAsync(_places, _redis);

    public async Task DisposeAsync() => await Silos.DisposeAsync();

    internal SiloProcess Silo(string node) => Silos.All.Single(silo => silo.Node == node);

    /// <summary>A log whose primary and whose directory are not on the silo that keeps the membership table, if one does: that one cannot die alone.</summary>
    internal async Task<ILog> CreateLogAsync()
    {
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < Patience.Limit; await Task.Delay(TimeSpan.FromMilliseconds(100)))
        {
            await Silos.StartExitedAsync();
            var name = $"replicated-{_logs++}";
            var log = await Patience.RunAsync(() => Silos.Client.CreateLogAsync(name, Options));
            var chain = await TryOpenAsync(name);
            if (chain?.WriteSegment is { Ensemble.Count: 3 } segment
                && (_redis is not null || (segment.Primary != Silos.First.Node && await DirectoryOf(log) != Silos.First)))
            {
                return log;
            }
        }

        throw new InvalidOperationException("Every log has its primary or its directory on the first silo, or fewer than three replicas.");
    }

    private async Task<Chain?> TryOpenAsync(string log)
    {
        try
        {
            return await Silos.Grains.GetGrain<ISegmentDirectoryGrain>(log).OpenWriteSegment(null, 0);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            // Silos are not all back yet.
            return null;
        }
    }

    /// <summary>The silo where the directory of a log is active.</summary>
    internal async Task<SiloProcess> DirectoryOf(ILog log)
    {
        var directory = Silos.Grains.GetGrain<ISegmentDirectoryGrain>(log.Name);
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < Patience.Limit; await Task.Delay(TimeSpan.FromMilliseconds(100)))
        {
            await Patience.RunAsync(async () => await directory.GetChain());

            // It may have answered on a silo that is declared dead, and end with it.
            if (await TryManagementAsync(grain => grain.GetActivationAddress(directory).AsTask()) is { } at
                && Silos.All.FirstOrDefault(silo => silo.SiloPort == at.Endpoint.Port) is { } found)
            {
                return found;
            }
        }

        throw new InvalidOperationException($"The directory of log '{log.Name}' is active nowhere.");
    }

    /// <summary>Returns when all three are members. One that the others declared dead while it lived learns of it later, by up to a minute, and ends itself: then
    /// it is started again here, and not in the middle of the next round.</summary>
    internal async Task AllMembersAsync()
    {
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < Patience.Limit; await Task.Delay(TimeSpan.FromMilliseconds(200)))
        {
            await Silos.StartExitedAsync();
            if (await TryManagementAsync(static grain => grain.GetHosts(onlyActive: true)) is { } members && members.Count == Silos.All.Count)
            {
                return;
            }
        }

        throw new InvalidOperationException("Not all three silos became members.");
    }

    /// <summary>Null when no answer came: the question went by a silo, or to one, that ended itself meanwhile.</summary>
    private async Task<T?> TryManagementAsync<T>(Func<IManagementGrain, Task<T>> ask)
    {
        try
        {
            return await ask(Silos.Grains.GetGrain<IManagementGrain>(0));
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            return default;
        }
    }

    internal static async Task<ChainSegment> WriteSegmentAsync(ILog log) => await Patience.RunAsync(async () =>
        (await log.DescribeAsync()).Chain.WriteSegment ?? throw new LogNotWritableException(log.Name, "no segment is open"));
}

[CollectionDefinition(Name)]
public sealed class ReplicatedFaults : ICollectionFixture<ReplicatedCluster>
{
    public const string Name = "replicated faults";
}
