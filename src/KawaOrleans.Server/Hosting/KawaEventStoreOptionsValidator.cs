using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Storage;

namespace KawaOrleans.Server;

/// <summary>Refuses to start a silo with options that cannot work; the message names the property.</summary>
internal sealed class KawaEventStoreOptionsValidator(
    IOptions<KawaEventStoreOptions> kawa, IOptions<SiloOptions> silo, IServiceProvider services) : IConfigurationValidator
{
    private const long MinHealingBytesPerSecond = 1024 * 1024;
    private const int MaxRememberedEvents = 16 * 1024 * 1024;

    public void ValidateConfiguration()
    {
        if (WhyNot(kawa.Value, silo.Value.SiloName) is { } reason)
        {
            throw new OrleansConfigurationException(reason);
        }

        if (kawa.Value.UseGrainStorageForChains
            && services.GetKeyedService<IGrainStorage>(KawaEventStoreOptions.ChainStorageName) is null)
        {
            throw new OrleansConfigurationException(
                $"{nameof(KawaEventStoreOptions)}.{nameof(KawaEventStoreOptions.UseGrainStorageForChains)} is set, but no grain storage "
                + $"is registered under the name '{KawaEventStoreOptions.ChainStorageName}'.");
        }
    }

    internal static string? WhyNot(KawaEventStoreOptions options, string? siloName)
    {
        if (string.IsNullOrWhiteSpace(options.DataDirectory))
        {
            return Of(nameof(options.DataDirectory), "is not set: name a directory on a local disk, one for each silo.");
        }

        if (Names.WhyNotKey(options.NodeName ?? siloName) is { } badName)
        {
            return Of(nameof(options.NodeName), $"'{options.NodeName ?? siloName}' is no node name: {badName}.");
        }

        if (string.IsNullOrWhiteSpace(options.ChainStorePath) != options.UseGrainStorageForChains)
        {
            return NoChainStore().Message;
        }

        if (options.NewLogs?.WhyNot() is { } badLogs)
        {
            return Of(nameof(options.NewLogs), $"cannot be taken: {badLogs}.");
        }

        if (options.NewLogs is null)
        {
            return Of(nameof(options.NewLogs), "is null: leave it as it is for the defaults.");
        }

        if (options.RememberedEvents is < 0 or > MaxRememberedEvents)
        {
            return Of(nameof(options.RememberedEvents), $"is 0 to {MaxRememberedEvents}; {options.RememberedEvents} is not.");
        }

        if (Math.Min(options.MaxQueuedBytes, options.MaxQueuedBytesPerSegment) < Limits.MaxBatchBytes)
        {
            var property = options.MaxQueuedBytes < Limits.MaxBatchBytes ? nameof(options.MaxQueuedBytes) : nameof(options.MaxQueuedBytesPerSegment);
            return Of(property, $"is at least {Limits.MaxBatchBytes}, the largest batch.");
        }

        if (options.HealingBytesPerSecond < MinHealingBytesPerSecond)
        {
            return Of(nameof(options.HealingBytesPerSecond), $"is at least {MinHealingBytesPerSecond} (1 MiB); {options.HealingBytesPerSecond} is not.");
        }

        return options.ChainStorePath is { } path && IsInside(path, options.DataDirectory)
            ? Of(nameof(options.ChainStorePath), $"'{path}' lies in {nameof(options.DataDirectory)} '{options.DataDirectory}': all silos of a host share it, so it lies outside.")
            : null;
    }

    /// <summary>Also what the silo's construction says, which comes before its validation.</summary>
    internal static OrleansConfigurationException NoChainStore() => new(Of(
        nameof(KawaEventStoreOptions.ChainStorePath),
        $"and {nameof(KawaEventStoreOptions.UseGrainStorageForChains)}: set exactly one of them, to say where the chains are kept."));

    private static string Of(string property, string what) => $"{nameof(KawaEventStoreOptions)}.{property} {what}";

    private static bool IsInside(string path, string directory)
    {
        var relative = Path.GetRelativePath(directory, path);
        return relative == "." || (!Path.IsPathRooted(relative) && relative.Split(Path.DirectorySeparatorChar)[0] != "..");
    }
}
