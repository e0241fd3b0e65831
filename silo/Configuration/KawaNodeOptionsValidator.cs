using System.Net;
using Microsoft.Extensions.Options;

namespace KawaOrleans.Silo.Configuration;

/// <summary>Refuses options that cannot work, all at once; each message names the option and how to set it.</summary>
internal sealed class KawaNodeOptionsValidator : IValidateOptions<KawaNodeOptions>
{
    public ValidateOptionsResult Validate(string? name, KawaNodeOptions options)
    {
        var refused = new List<string>();
        Refuse(nameof(options.DataDirectory), Missing(options.DataDirectory));
        Refuse(nameof(options.ChainStorePath), options.ChainStorePath is null ? null : Missing(options.ChainStorePath) ?? Besides(options.Redis, "the chains are kept there"));
        Refuse(nameof(options.Redis), options.Redis is null ? null : Missing(options.Redis) ?? RedisPlace.WhyNot(options.Redis));
        Refuse(nameof(options.ClusterId), Missing(options.ClusterId));
        Refuse(nameof(options.ServiceId), Missing(options.ServiceId));
        Refuse(nameof(options.NodeName), Names.WhyNotKey(options.NodeName) is { } reason ? $"'{options.NodeName}' is no node name: {reason}" : null);
        Refuse(nameof(options.Replicas), options.NewLogs().WhyNot() is null ? null : $"a log lies on 1, 2, 3 or 5 nodes, not on {options.Replicas}");
        Refuse(nameof(options.SiloPort), NoPort(options.SiloPort));
        Refuse(nameof(options.GatewayPort), NoPort(options.GatewayPort));
        Refuse(nameof(options.HttpPort), NoPort(options.HttpPort));
        if (new[] { options.SiloPort, options.GatewayPort, options.HttpPort }.Distinct().Count() < 3)
        {
            Refuse(nameof(options.SiloPort), $"{options.SiloPort}, GatewayPort {options.GatewayPort} and HttpPort {options.HttpPort} must be three different ports");
        }

        if (!IPAddress.TryParse(options.AdvertisedAddress, out _))
        {
            Refuse(nameof(options.AdvertisedAddress), $"'{options.AdvertisedAddress}' is no IP address");
        }

        if (options.Join is { } join)
        {
            Refuse(nameof(options.Join), HostAndPort.TryParse(join, out _)
                ? Besides(options.Redis, "silos find each other there, and none is the first")
                : $"'{join}' is not host:port, the address and silo port of the cluster's first silo");
        }

        return refused.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(refused);

        void Refuse(string option, string? why)
        {
            if (why is not null)
            {
                refused.Add($"{KawaNodeOptions.Section}:{option} ({CommandLine.SwitchFor(option)}): {why}.");
            }
        }
    }

    private static string? Besides(string? redis, string why) =>
        redis is null ? null : $"is not for a silo with {KawaNodeOptions.Section}:{nameof(KawaNodeOptions.Redis)} ({CommandLine.SwitchFor(nameof(KawaNodeOptions.Redis))}): {why}; leave one of the two out";

    private static string? Missing(string? value) => string.IsNullOrWhiteSpace(value) ? "is empty" : null;

    private static string? NoPort(int port) => port is > 0 and <= IPEndPoint.MaxPort ? null : $"{port} is no port: 1 to {IPEndPoint.MaxPort}";
}
