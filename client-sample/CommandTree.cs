using System.CommandLine;
using KawaOrleans.ClientSample.Cluster;
using KawaOrleans.ClientSample.Demo;
using KawaOrleans.ClientSample.Ndjson;
using Spectre.Console;

namespace KawaOrleans.ClientSample;

/// <summary>The commands, and the one place where an error becomes a sentence and an exit code.</summary>
internal static class CommandTree
{
    private static readonly Option<string[]> Gateways = new("--gateway")
    {
        Description = "A silo's gateway, host:port; name those of several silos to be served while one is down. Without a command and a gateway the sample brings up a cluster of its own.",
        DefaultValueFactory = static _ => ["localhost:30000"],
        AllowMultipleArgumentsPerToken = true,
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
            Gateways, ClusterId, Import(console), Export(console, openOutput), Logs(console), Describe(console), Delete(console),
        };
        root.SetAction((arguments, cancellation) => arguments.GetResult(Gateways) is { Implicit: false }
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
            var gateways = arguments.GetRequiredValue(Gateways).Select(RunningCluster.ParseGateway).ToList();
            await using var cluster = await RunningCluster.ConnectAsync(arguments.GetRequiredValue(ClusterId), gateways, cancellation);
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
