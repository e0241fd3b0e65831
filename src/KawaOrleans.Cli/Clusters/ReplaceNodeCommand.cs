using System.CommandLine;

namespace KawaOrleans.Cli.Clusters;

/// <summary>Gives up a node whose data directory is lost for ever.</summary>
internal static class ReplaceNodeCommand
{
    public static Command Make(Terminal terminal)
    {
        var node = new Argument<string>("node") { Description = "The node's name. It must not run." };
        var yes = new Option<bool>("--yes") { Description = "Does not ask. Needed where standard input is no terminal." };
        var command = new Command(
            "replace-node",
            "Gives up the data directory of a node that will not come back: it never takes part again, what only it held is lost, and a silo with an "
            + "empty directory may take the name. Segments of several replicas are copied to other nodes. Cannot be undone. 0, 1 when it was refused, 2 when the cluster is not reached.")
        {
            node, yes,
        };
        command.Validators.Add(result =>
        {
            if (!result.GetValue(yes) && terminal.Input is null)
            {
                result.AddError("This cannot be undone, and nobody can be asked here: repeat it with --yes.");
            }
        });
        return GatewayOptions.AddTo(command, async (cluster, arguments, cancellation) =>
        {
            var name = arguments.GetRequiredValue(node);
            if (!arguments.GetValue(yes))
            {
                await terminal.Error.WriteAsync($"Give up the data directory of node '{name}' for ever? Type the node's name: ");
                if (await terminal.Input!.ReadLineAsync(cancellation) != name)
                {
                    throw new RefusedException("Nothing was changed.", ExitCode.Damaged);
                }
            }

            await cluster.EventStore.ReplaceNode(name, cancellation);
            await terminal.Output.WriteLineAsync($"The data directory of node '{name}' is given up. A silo with an empty directory may start under its name.");
        });
    }
}
