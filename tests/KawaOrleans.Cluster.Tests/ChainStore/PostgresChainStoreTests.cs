using KawaOrleans.Server;
using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.ChainStore;

/// <summary>The chain store on PostgreSQL. The provider's scripts are not in its package, so this runs where <c>KAWA_POSTGRES</c> is the connection string
/// of a database that was prepared as docs/OPERATIONS.md says.</summary>
public sealed class PostgresChainStoreTests : ChainRecordsContract, IAsyncLifetime
{
    private static readonly string? Connection = Environment.GetEnvironmentVariable("KAWA_POSTGRES");

    private ProviderChains _chains = null!;

    public async Task InitializeAsync()
    {
        if (Connection is not null)
        {
            _chains = await ProviderChains.OpenAsync(
                static silo => silo.AddAdoNetGrainStorage(KawaEventStoreOptions.ChainStorageName, static chains => (chains.Invariant, chains.ConnectionString) = ("Npgsql", Connection)),
                serviceId: $"{Guid.NewGuid():N}");
        }
    }

    public async Task DisposeAsync()
    {
        if (Connection is not null)
        {
            await _chains.DisposeAsync();
        }
    }

    private protected override Task<IChainRecords> Open()
    {
        Skip.If(Connection is null, "KAWA_POSTGRES is not set: the connection string of a PostgreSQL database with Orleans' tables");
        return Task.FromResult<IChainRecords>(_chains.Records);
    }
}
