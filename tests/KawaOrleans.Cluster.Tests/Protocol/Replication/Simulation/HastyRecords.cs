using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>The planted bug: what a swap is to bring is used before the swap.</summary>
internal sealed class HastyRecords(IChainRecords records, Action<Chain> hasten) : IChainRecords
{
    public Task<Versioned<Chain>?> ReadChain(string logName, CancellationToken cancellation) => records.ReadChain(logName, cancellation);

    public Task<Versioned<Chain>?> SwapChain(string logName, Versioned<Chain>? expected, Chain next, CancellationToken cancellation)
    {
        hasten(next);
        return records.SwapChain(logName, expected, next, cancellation);
    }

    public Task<bool> RemoveChain(string logName, Versioned<Chain> expected, CancellationToken cancellation) => records.RemoveChain(logName, expected, cancellation);

    public Task<Versioned<Catalogue>?> ReadCatalogue(CancellationToken cancellation) => records.ReadCatalogue(cancellation);

    public Task<Versioned<Catalogue>?> SwapCatalogue(Versioned<Catalogue>? expected, Catalogue next, CancellationToken cancellation) =>
        records.SwapCatalogue(expected, next, cancellation);
}
