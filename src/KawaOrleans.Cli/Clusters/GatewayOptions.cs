using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace KawaOrleans.Cli.Clusters;

/// <summary>Which running cluster a command is for: the options of every command that needs one.</summary>
internal sealed class GatewayOptions
{
    private readonly Option<string[]> _gateway = new("--gateway")
    {
        Description = "A silo's gateway, host:port; several may be given, and one that answers is enough.",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string> _clusterId = Id("--cluster-id", "The cluster's id.");
    private readonly Option<string> _serviceId = Id("--service-id", "The cluster's service id.");

    /// <summary>A command with these options, and what it does once connected; it answers an exit code.</summary>
    public static Command AddTo(Command command, Func<ClusterConnection, ParseResult, CancellationToken, Task> action)
    {
        var options = new GatewayOptions();
        command.Options.Add(options._gateway);
        command.Options.Add(options._clusterId);
        command.Options.Add(options._serviceId);
        command.SetAction(async (arguments, cancellation) =>
        {
            IPEndPoint[] gateways = [.. arguments.GetRequiredValue(options._gateway).Select(Parse)];
            await using var cluster = await ClusterConnection.OpenAsync(
                gateways, arguments.GetRequiredValue(options._clusterId), arguments.GetRequiredValue(options._serviceId), cancellation);
            await action(cluster, arguments, cancellation);
            return ExitCode.Good;
        });
        return command;
    }

    private static Option<string> Id(string name, string description) => new(name) { Description = description, DefaultValueFactory = static _ => "kawa" };

    private static IPEndPoint Parse(string text)
    {
        if (IPEndPoint.TryParse(text, out var endpoint) && endpoint.Port != 0)
        {
            return endpoint;
        }

        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            throw new RefusedException($"A gateway is host:port, for example localhost:30000; '{text}' is not.", ExitCode.Unusable);
        }

        try
        {
            var addresses = Dns.GetHostAddresses(text[..colon]);
            return new IPEndPoint(Array.Find(addresses, static a => a.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0], port);
        }
        catch (SocketException unknown)
        {
            throw new RefusedException($"Host '{text[..colon]}' is not known: {unknown.Message}.", ExitCode.Unusable);
        }
    }
}
