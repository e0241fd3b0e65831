using System.CommandLine;
using KawaOrleans.ClientSample.Cluster;
using KawaOrleans.ClientSample.Demo;
using KawaOrleans.ClientSample.Ndjson;
using Spectre.Console;

namespace KawaOrleans.ClientSample;

/// <summary>The commands, and the one place where an error becomes a sentence and an exit code.</summary>
internal static class CommandTree
{
    private static readonly Option<string> Gateway = new("--gateway")
    {
        Description = "A silo's gateway, host:port. Without a command and a gateway the sample brings up a cluster of its own.",
        DefaultValueFactory = static _ => "localhost:30000",
        Recursive = true,
    };

    private static readonly Option<string> ClusterId = new("--cluster-id")
    {
        Description = "The cluster's id, which is also its service id.",
        DefaultValueFactory = static _ => "kawa",
        Recursive = true,
    };

    private static readonly Option<string> Log = new("--log") { Description = "The log's name.", Required = true };

    /// <returns>0 when all went well, 1 when something failed (said on standard error), 2 when it was interrupted.</returns>
    public static async Task<int> RunAsync(string[] args, IAnsiConsole console, Func<Stream> openOutput)
    {
        var root = new RootCommand("KawaOrleans by example. Without arguments: three silos, 69,894 events, a restart, and a check of all of it.")
        {
            Gateway, ClusterId, Import(console), Export(console, openOutput), Logs(console), Describe(console), Rebuild(console), ReplaceNode(console), Delete(console),
        };
        root.SetAction((arguments, cancellation) => arguments.GetResult(Gateway) is { Implicit: false }
            ? throw new FormatException("Name a command for the silos behind the gateway; --help lists them.")
            : new Demonstration(console).RunAsync(cancellation));
        try
        {
            return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Stopped.");
            return 2;
        }
        catch (Exception failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return 1;
        }
    }

    private static Command Import(IAnsiConsole console)
    {
        var file = new Argument<FileInfo>("file") { Description = "Events, one JSON object a line; may be gzipped." };
        var command = new Command("import", "Appends the events of a file to a log.") { file, Log };
        OnCluster(command, async (cluster, arguments, cancellation) =>
        {
            var log = cluster.EventStore.Log(arguments.GetRequiredValue(Log));
            var options = await OptionsOfAsync(log, cancellation);
            var path = arguments.GetRequiredValue(file).FullName;
            var events = await CheckAsync(path, options, cancellation);
            await console.Progress().StartAsync(progress =>
            {
                var bar = progress.AddTask("Importing", maxValue: events.Events);
                return Ndjson.Import.RunAsync(events, log, new Progress<long>(appended => bar.Value = appended), cancellation);
            });
            console.MarkupLineInterpolated($"{events.Events} events are in log '{log.Name}'.");
        });
        return command;
    }

    private static Command Export(IAnsiConsole console, Func<Stream> openOutput)
    {
        var to = new Option<FileInfo>("--to") { Description = "The file; gzipped if it ends in .gz. Standard output unless given." };
        var command = new Command("export", "Writes the events of a log, one JSON object a line.") { Log, to };
        OnCluster(command, async (cluster, arguments, cancellation) =>
        {
            var log = cluster.EventStore.Log(arguments.GetRequiredValue(Log));
            if (arguments.GetValue(to) is { } file)
            {
                var events = await Ndjson.Export.RunAsync(log, file.FullName, cancellation);
                console.MarkupLineInterpolated($"{events} events of log '{log.Name}' are in {file.FullName}.");
            }
            else
            {
                await using var output = openOutput();
                await Ndjson.Export.RunAsync(log, output, cancellation);
            }
        });
        return command;
    }

    private static Command Logs(IAnsiConsole console)
    {
        var command = new Command("logs", "Lists the logs.");
        OnCluster(command, async (cluster, _, cancellation) =>
        {
            foreach (var log in await cluster.EventStore.ListLogsAsync(cancellation))
            {
                console.MarkupLineInterpolated($"{log.Name}");
            }
        });
        return command;
    }

    private static Command Describe(IAnsiConsole console)
    {
        var command = new Command("describe", "Shows a log's segments, where they lie and how they are.") { Log };
        OnCluster(command, async (cluster, arguments, cancellation) =>
            console.Write(LogTable.Of(await cluster.EventStore.Log(arguments.GetRequiredValue(Log)).DescribeAsync(cancellation))));
        return command;
    }

    private static Command Rebuild(IAnsiConsole console)
    {
        var log = new Option<string?>("--log") { Description = "The log's name. Every log and their list unless given." };
        var giveUp = new Option<string[]>("--give-up") { Description = "A node that will not come back; may be repeated. What only it held is lost." };
        var command = new Command("rebuild", "Writes chains anew from what the nodes hold, after the chain store was lost.") { log, giveUp };
        OnCluster(command, async (cluster, arguments, cancellation) =>
        {
            // An operator's task: it is not part of the client, so it is asked of the grains themselves.
            var givenUp = arguments.GetValue(giveUp) ?? [];
            if (arguments.GetValue(log) is { } name)
            {
                var chain = await cluster.Grains.GetGrain<ISegmentDirectoryGrain>(name).Rebuild(givenUp, cancellation);
                console.MarkupLineInterpolated($"Log '{chain.LogName}' has a chain: version {chain.Version}, {chain.Segments.Count} segments.");
                return;
            }

            foreach (var rebuilt in await cluster.Grains.GetGrain<IEventStoreGrain>(0).Rebuild(givenUp, cancellation))
            {
                console.MarkupLineInterpolated($"Log '{rebuilt.Name}' has a chain.");
            }
        });
        return command;
    }

    private static Command ReplaceNode(IAnsiConsole console)
    {
        var node = new Argument<string>("node") { Description = "The node's name. It must not run." };
        var command = new Command(
            "replace-node", "Gives up a node whose data directory is lost for ever, so that an empty one may take its name. Cannot be undone.") { node };
        OnCluster(command, async (cluster, arguments, cancellation) =>
        {
            var name = arguments.GetRequiredValue(node);
            await cluster.Grains.GetGrain<IEventStoreGrain>(0).ReplaceNode(name, cancellation);
            console.MarkupLineInterpolated($"Node '{name}' is given up. A node of that name may start with an empty directory.");
        });
        return command;
    }

    private static Command Delete(IAnsiConsole console)
    {
        var command = new Command("delete", "Ends a log. Its files are set aside by the nodes that hold them.") { Log };
        OnCluster(command, async (cluster, arguments, cancellation) =>
        {
            var name = arguments.GetRequiredValue(Log);
            await cluster.EventStore.DeleteLogAsync(name, cancellation);
            console.MarkupLineInterpolated($"Log '{name}' is deleted.");
        });
        return command;
    }

    private static void OnCluster(Command command, Func<RunningCluster, ParseResult, CancellationToken, Task> action) =>
        command.SetAction(async (arguments, cancellation) =>
        {
            var gateway = RunningCluster.ParseGateway(arguments.GetRequiredValue(Gateway));
            await using var cluster = await RunningCluster.ConnectAsync(arguments.GetRequiredValue(ClusterId), [gateway], cancellation);
            await action(cluster, arguments, cancellation);
        });

    private static async Task<EventFile> CheckAsync(string path, LogOptions options, CancellationToken cancellation)
    {
        try
        {
            return await EventFile.CheckAsync(path, Limits.MaxEventBytesFor(options.SegmentBytes), cancellation);
        }
        catch (BadLineException bad)
        {
            throw new FormatException($"{bad.Message} No event was appended.", bad);
        }
    }

    private static async Task<LogOptions> OptionsOfAsync(ILog log, CancellationToken cancellation)
    {
        try
        {
            return (await log.DescribeAsync(cancellation)).Chain.Options;
        }
        catch (UnknownLogException)
        {
            return new LogOptions();
        }
    }
}
