using System.CommandLine;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Inspection;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Cli.Repairing;

/// <summary>Writes footers anew.</summary>
internal static class RebuildIndexCommand
{
    public static Command Make(Terminal terminal)
    {
        var path = CommandTree.PathArgument();
        var command = new Command(
            "rebuild-index", "Writes missing or broken footers of sealed segments, after verifying every frame; never a frame. A segment whose frames are damaged is refused (1).")
        {
            path,
        };
        command.SetAction(arguments =>
        {
            using var target = Target.Open(arguments.GetRequiredValue(path), changes: true);
            var code = ExitCode.Good;
            foreach (var (logId, file) in target.Files)
            {
                code = Worse(code, Rebuild(terminal, logId, file));
            }

            return code;
        });
        return command;
    }

    private static int Rebuild(Terminal terminal, Guid? logId, string file)
    {
        try
        {
            var found = SegmentInspection.Verify(DiskVolume.Instance, file);
            if (found.Damage is [var place, ..])
            {
                terminal.Error.WriteLine(new SegmentDamagedException(place.Path, place.Offset, place.Found).Message);
                return ExitCode.Damaged;
            }

            if (Target.WhyMisplaced(logId, found) is { } misplaced)
            {
                terminal.Error.WriteLine(misplaced);
                return ExitCode.Damaged;
            }

            if (found.Footer is FooterState.Missing or FooterState.Broken)
            {
                FooterRewrite.Run(DiskVolume.Instance, found);
                terminal.Output.WriteLine($"written: {file}: the footer was {(found.Footer == FooterState.Missing ? "missing" : "broken")}");
            }
            else
            {
                terminal.Output.WriteLine($"unchanged: {file}: {(found.Footer == FooterState.Whole ? "its footer is whole" : "not sealed, so it has no footer yet")}");
            }

            return ExitCode.Good;
        }
        catch (StorageException e)
        {
            terminal.Error.WriteLine(e.Message);
            return ExitCode.Unusable;
        }
    }

    /// <summary>Damage is certain and outweighs what could not be read.</summary>
    private static int Worse(int a, int b) => a == ExitCode.Damaged || b == ExitCode.Damaged ? ExitCode.Damaged : Math.Max(a, b);
}
