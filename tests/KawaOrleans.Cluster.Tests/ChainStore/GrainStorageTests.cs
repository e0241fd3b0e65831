using KawaOrleans.Server.ChainStore;
using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Storage;
using Orleans.TestingHost;

namespace KawaOrleans.Cluster.Tests.ChainStore;

/// <summary>The chain store on a provider that is not ours.</summary>
public sealed class GrainStorageTests : ChainRecordsContract, IAsyncLifetime
{
    private InProcessTestCluster _cluster = null!;

    public async Task InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) => silo.AddMemoryGrainStorage(ChainStoreRegistration.StorageName).Services.AddChainRecords());
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    private protected override Task<IChainRecords> Open() =>
        Task.FromResult(_cluster.GetSiloServiceProvider(_cluster.Silos[0].SiloAddress).GetRequiredService<IChainRecords>());
}

public class UnreliableGrainStorageTests
{
    [Fact]
    public async Task A_storage_that_fails_or_hangs_is_a_store_that_is_away()
    {
        var failing = new OrleansChainRecords(new Unreliable(() => throw new IOException("no route")), TimeProvider.System);
        var away = await Assert.ThrowsAsync<ChainStoreException>(() => failing.ReadChain("orders", default));
        Assert.Equal(ChainStoreProblem.Away, away.Problem);
        Assert.True(away.IsRetryable);
        Assert.Contains("no route", away.Message, StringComparison.Ordinal);

        // A client has no provider's types: an exception of one within ours would not reach it.
        Assert.Null(away.InnerException);

        var hanging = new OrleansChainRecords(new Unreliable(() => new TaskCompletionSource().Task), new HurryingTime());
        Assert.Equal(ChainStoreProblem.Away, (await Assert.ThrowsAsync<ChainStoreException>(() => hanging.ReadChain("orders", default))).Problem);
    }

    [Fact]
    public async Task A_lost_race_is_no_failure()
    {
        var records = new OrleansChainRecords(new Unreliable(() => throw new InconsistentStateException("changed")), TimeProvider.System);
        var record = new Versioned<Chain>(ChainRules.New(Guid.NewGuid(), "orders", new LogOptions()), "1");
        Assert.Null(await records.SwapChain("orders", record, record.Value, default));
        Assert.False(await records.RemoveChain("orders", record, default));
    }

    [Fact]
    public async Task A_storage_without_tags_is_refused()
    {
        var records = new OrleansChainRecords(new Unreliable(() => Task.CompletedTask), TimeProvider.System);
        await Assert.ThrowsAsync<NotSupportedException>(
            () => records.SwapChain("orders", null, ChainRules.New(Guid.NewGuid(), "orders", new LogOptions()), default));
    }

    private sealed class Unreliable(Func<Task> answer) : IGrainStorage
    {
        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => answer();

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => answer();

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => answer();
    }

    /// <summary>Whatever is waited for, the wait is over.</summary>
    private sealed class HurryingTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Timer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
