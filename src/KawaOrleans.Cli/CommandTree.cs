using System.CommandLine;
using System.CommandLine.Invocation;
using KawaOrleans.Cli.Clusters;
using KawaOrleans.Cli.Dumping;
using KawaOrleans.Cli.Inspecting;
using KawaOrleans.Cli.Repairing;
using KawaOrleans.Cli.Verifying;

namespace KawaOrleans.Cli;

/// <summary>The commands, and the one place where an error becomes a sentence and an exit code.</summary>
internal static class CommandTree
{
    public static async Task<int> RunAsync(string[] args, Terminal terminal)
    {
        var root = new RootCommand(
            """
            Works on a KawaOrleans data directory, or on one segment file, while no silo runs on it; replace-node and rebuild work on a
            running cluster.

            A directory's lock is taken: a running silo's directory is refused. inspect, verify and dump never change a file, and may
            be pointed at a single sealed .seg file of a running silo.

            Exit codes: 0 all good; 1 something is damaged, or what was asked was refused; 2 it could not be read, used or reached (in
            use by a silo, not ours, unreadable medium, no answer, a command line that makes no sense). Errors go to standard error, one
            sentence a line.
            """)
        {
            InspectCommand.Make(terminal), VerifyCommand.Make(terminal), DumpCommand.Make(terminal), RebuildIndexCommand.Make(terminal), RepairCommand.Make(terminal),
            ReplaceNodeCommand.Make(terminal), RebuildCommand.Make(terminal),
        };
        var parsed = root.Parse(args);
        try
        {
            var code = await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false, Output = terminal.Output, Error = terminal.Error,
            });
            return parsed.Action is ParseErrorAction ? ExitCode.Unusable : code;
        }
        catch (Exception e) when ((e as RefusedException ?? ClusterConnection.Explain(e)) is { } refused)
        {
            await terminal.Error.WriteLineAsync(refused.Message);
            return refused.ExitCode;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            await terminal.Error.WriteLineAsync(e is OperationCanceledException ? "Stopped." : e.Message);
            return e is KawaOrleans.Storage.SegmentDamagedException ? ExitCode.Damaged : ExitCode.Unusable;
        }
    }

    /// <summary>The argument of every command that works on files.</summary>
    public static Argument<string> PathArgument() => new("path") { Description = "A silo's data directory, or one .seg file." };
}
