using System.Diagnostics;
using System.Globalization;
using KawaOrleans.Server.ChainStore;

namespace KawaOrleans.Cluster.Tests.ChainStore;

/// <summary>A process that swaps one log's chain so many times, against whoever else does.</summary>
internal static class Swapper
{
    // However slow the machine is: a swap whose outcome is unknown could not be counted.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Starts one.</summary>
    /// <param name="kind">What keeps the chains: <c>file</c> or <c>redis</c>.</param>
    /// <param name="place">The directory, or where the Redis is.</param>
    /// <param name="log">The log.</param>
    /// <param name="swaps">How many swaps it wins before it ends.</param>
    public static Process Start(string kind, string place, string log, int swaps) => Process.Start(new ProcessStartInfo(
        Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet",
        ["exec", typeof(Swapper).Assembly.Location, "swap", kind, place, log, swaps.ToString(CultureInfo.InvariantCulture)])
    {
        RedirectStandardError = true,
    })!;

    /// <summary>Waits until it won them all.</summary>
    public static async Task EndAsync(Process process)
    {
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors);
    }

    /// <summary>Wins that many swaps, each of which counts the version on by one; answers 0.</summary>
    public static async Task<int> RunAsync(string kind, string place, string log, int swaps)
    {
        if (kind == "redis")
        {
            await using var redis = await ProviderChains.OpenAsync(silo => ProviderChains.UseRedis(silo, place), Patience);
            return await RunAsync(redis.Records, log, swaps);
        }

        using var storage = new FileChainStorage(place, TimeProvider.System, Patience);
        return await RunAsync(new OrleansChainRecords(storage, TimeProvider.System, Patience), log, swaps);
    }

    private static async Task<int> RunAsync(OrleansChainRecords records, string log, int swaps)
    {
        var won = 0;
        while (won < swaps)
        {
            var record = await records.ReadChain(log, default) ?? throw new InvalidOperationException($"There is no chain of '{log}'.");
            if (await records.SwapChain(log, record, record.Value with { Version = record.Value.Version + 1 }, default) is not null)
            {
                won++;
            }
        }

        return 0;
    }
}
