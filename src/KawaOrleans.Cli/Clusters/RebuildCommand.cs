using System.CommandLine;

namespace KawaOrleans.Cli.Clusters;

/// <summary>Writes chains anew from what the nodes hold, after the chain store was lost or set back.</summary>
internal static class RebuildCommand
{
    public static Command Make(Terminal terminal)
    {
        var log = new Option<string?>("--log") { Description = "One log. Unless given: every log, their list, and the records of the nodes that run." };
        var giveUp = new Option<string[]>("--give-up")
        {
            Description = "A node that will not come back, or '*' for all that do not answer; may be repeated. What only it held is lost.",
        };
        var command = new Command(
            "rebuild",
            "Writes the chains anew from what the nodes hold, after the chain store was lost or set back. Refuses what it cannot be sure of. "
            + "0, 1 when a log was refused, 2 when the cluster is not reached.")
        {
            log, giveUp,
        };
        return GatewayOptions.AddTo(command, async (cluster, arguments, cancellation) =>
        {
            var givenUp = arguments.GetValue(giveUp) ?? [];
            if (arguments.GetValue(log) is { } name)
            {
                var chain = await cluster.Log(name).Rebuild(givenUp, cancellation);
                await terminal.Output.WriteLineAsync($"Log '{chain.LogName}' has a chain: version {chain.Version}, {chain.Segments.Count} segments.");
                return;
            }

            foreach (var rebuilt in await cluster.EventStore.Rebuild(givenUp, cancellation))
            {
                await terminal.Output.WriteLineAsync($"Log '{rebuilt.Name}' has a chain.");
            }
        });
    }
}
