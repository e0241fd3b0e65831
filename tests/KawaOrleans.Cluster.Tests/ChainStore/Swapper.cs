using KawaOrleans.Server.ChainStore;
using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.ChainStore;

/// <summary>Swaps one log's chain so many times, against whoever else does.</summary>
internal static class Swapper
{
    /// <summary>Wins that many swaps, each of which counts the version on by one; answers 0.</summary>
    public static async Task<int> Run(string directory, string log, int swaps)
    {
        // However slow the machine is: a swap whose outcome is unknown could not be counted.
        var patience = TimeSpan.FromMinutes(1);
        using var storage = new FileChainStorage(directory, TimeProvider.System, patience);
        var records = new OrleansChainRecords(storage, TimeProvider.System, patience);
        var won = 0;
        while (won < swaps)
        {
            var record = await records.ReadChain(log, default) ?? throw new InvalidOperationException($"No chain of '{log}' in {directory}.");
            if (await records.SwapChain(log, record, record.Value with { Version = record.Value.Version + 1 }, default) is not null)
            {
                won++;
            }
        }

        return 0;
    }
}
