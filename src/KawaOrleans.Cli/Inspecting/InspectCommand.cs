using System.CommandLine;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Inspection;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Cli.Inspecting;

/// <summary>Shows what lies in a data directory.</summary>
internal static class InspectCommand
{
    public static Command Make(Terminal terminal)
    {
        var path = CommandTree.PathArgument();
        var json = new Option<bool>("--json") { Description = "One JSON object instead of tables." };
        var command = new Command(
            "inspect", "Shows node, logs, segments and files that cannot be trusted, and changes nothing. Frames that a checkpoint or seal covers are not read: that is verify. 0, or 1 when a file cannot be trusted, 2 when nothing could be shown.")
        {
            path, json,
        };
        command.SetAction(arguments =>
        {
            using var target = Target.Open(arguments.GetRequiredValue(path), changes: false);
            var (segments, untrusted) = Look(target);
            if (arguments.GetValue(json))
            {
                using var output = terminal.OpenOutput();
                InspectionJson.Write(output, target.Directory, segments, untrusted);
            }
            else
            {
                InspectionTable.Write(terminal, target.Directory, segments, untrusted);
            }

            return untrusted.Count == 0 ? ExitCode.Good : target.Directory is null ? ExitCode.Unusable : ExitCode.Damaged;
        });
        return command;
    }

    private static (List<InspectedSegment> Segments, List<UntrustedFile> Untrusted) Look(Target target)
    {
        var segments = new List<InspectedSegment>();
        var untrusted = new List<UntrustedFile>(target.Directory?.Untrusted ?? []);
        foreach (var (logId, path) in target.Files)
        {
            try
            {
                var found = SegmentInspection.Look(DiskVolume.Instance, path);
                if (found.Damage.Count > 0)
                {
                    untrusted.AddRange(found.Damage.Select(place => new UntrustedFile(
                        path, found.Header?.Identity.Id, logId, new SegmentDamagedException(path, place.Offset, place.Found).Message, IsUnreadable: false)));
                }
                else if (Target.WhyMisplaced(logId, found) is { } misplaced)
                {
                    untrusted.Add(new UntrustedFile(path, found.Header?.Identity.Id, logId, misplaced, IsUnreadable: false));
                }
                else
                {
                    segments.Add(found);
                }
            }
            catch (StorageException e)
            {
                untrusted.Add(new UntrustedFile(path, null, logId, e.Message, e is SegmentUnreadableException));
            }
        }

        segments.Sort(static (a, b) => (a.Header!.LogName, a.Header.BasePosition, a.Header.Identity.Epoch)
            .CompareTo((b.Header!.LogName, b.Header.BasePosition, b.Header.Identity.Epoch)));
        return (segments, untrusted);
    }
}
