using System.CommandLine;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Inspection;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Cli.Repairing;

/// <summary>Cuts a torn tail, or puts a good copy in the place of a damaged file. Never guesses, and keeps the original.</summary>
internal static class RepairCommand
{
    private const string Unfinished = ".new";

    public static Command Make(Terminal terminal)
    {
        var path = CommandTree.PathArgument();
        var from = new Option<string?>("--from") { Description = "A good copy (.seg) of the damaged file: it must verify, be the same segment, and hold all that the file is known to have held." };
        var command = new Command(
            "repair", "Cuts a torn tail, as the silo's next start would, or with --from replaces a damaged file by a good copy. The original is kept under aside/ of the data directory, or beside a file that lies in none. Refuses everything else (1) and says why.")
        {
            path, from,
        };
        command.SetAction(arguments =>
        {
            using var target = Target.Open(arguments.GetRequiredValue(path), changes: true);
            if (arguments.GetValue(from) is { } copy)
            {
                return target.Directory is null
                    ? Replace(terminal, target, target.Files[0].Path, Path.GetFullPath(copy))
                    : throw new RefusedException("--from takes the place of one file: name that .seg file, not the directory.", ExitCode.Unusable);
            }

            var code = target.Directory?.Untrusted.Count > 0 ? ExitCode.Damaged : ExitCode.Good;
            target.Directory?.Untrusted.ToList().ForEach(u => terminal.Error.WriteLine($"refused: {u.Problem}"));
            foreach (var (logId, file) in target.Files)
            {
                code = Math.Max(code, Cut(terminal, target, logId, file) ? ExitCode.Good : ExitCode.Damaged);
            }

            return code;
        });
        return command;
    }

    private static bool Cut(Terminal terminal, Target target, Guid? logId, string file)
    {
        InspectedSegment found;
        try
        {
            found = SegmentInspection.Verify(DiskVolume.Instance, file);
        }
        catch (StorageException e) when (target.Directory is not null)
        {
            terminal.Error.WriteLine($"refused: {e.Message}");
            return false;
        }

        if (WhyNotCut(logId, found) is { } reason)
        {
            terminal.Error.WriteLine($"refused: {reason}");
            return false;
        }

        if (found.TornBytes == 0)
        {
            terminal.Output.WriteLine(found.Footer == FooterState.Broken
                ? $"unchanged: {file}: its frames are whole; 'kawa rebuild-index' writes its footer anew"
                : $"unchanged: {file}: nothing to repair");
            return true;
        }

        var tail = found.Tail!.Value;
        var kept = KeptCopy.Aside(file, target.Around);
        using (var segment = Segment.Open(file))
        {
            if (segment.Tail != tail)
            {
                throw new RefusedException($"{file}: it changed while it was repaired: verified up to position {tail.Position}, now {segment.Tail.Position}. The original is {kept}.", ExitCode.Unusable);
            }
        }

        terminal.Output.WriteLine(
            $"cut: {file}: {found.TornBytes} bytes of an unfinished write group behind offset {tail.Offset}; it holds {found.Events} events and ends at position {tail.Position}. "
            + $"No acknowledged event is lost by this unless the medium lost the last group itself, which looks the same. The original is {kept}");
        return true;
    }

    private static string? WhyNotCut(Guid? logId, InspectedSegment found)
    {
        if (found.Damage is [var place, ..])
        {
            return $"{place.Path}: damaged at offset {place.Offset}: {place.Found}. Only a good copy can replace it: 'kawa repair {place.Path} --from COPY.seg'";
        }

        return found.LostPower
            ? $"{found.Path}: a mapped segment whose machine went down: what lies behind position {found.Tail?.Position} may have been acknowledged. The silo serves it up to there and seals it"
            : Target.WhyMisplaced(logId, found);
    }

    private static int Replace(Terminal terminal, Target target, string file, string copyPath)
    {
        var volume = DiskVolume.Instance;
        if (!File.Exists(copyPath) || copyPath == file)
        {
            throw new RefusedException($"refused: {copyPath}: {(copyPath == file ? "that is the damaged file itself" : "there is no such file")}.", ExitCode.Unusable);
        }

        var copy = SegmentInspection.Verify(volume, copyPath);
        var damaged = Damaged(file, copy.Header);
        if (damaged.Damage.Count == 0)
        {
            terminal.Output.WriteLine($"unchanged: {file}: its frames are whole, there is nothing to replace");
            return ExitCode.Good;
        }

        if (CopyCheck.WhyNot(damaged, copy) is { } reason)
        {
            throw new RefusedException($"refused: {reason}. Nothing was changed.", ExitCode.Damaged);
        }

        var kept = KeptCopy.Aside(file, target.Around);
        var made = file + Unfinished;
        volume.Delete(made);
        KeptCopy.Make(copyPath, made);
        if (SegmentInspection.Verify(volume, made) is { Damage.Count: > 0 } bad)
        {
            volume.Delete(made);
            throw new RefusedException($"refused: the copy of {copyPath} does not verify where it was written, at offset {bad.Damage[0].Offset}. The medium fails; nothing was replaced.", ExitCode.Unusable);
        }

        volume.Rename(made, file);
        volume.SyncDirectory(Path.GetDirectoryName(file)!);
        terminal.Output.WriteLine($"replaced: {file}: {copy.Events} events up to position {copy.Tail?.Position}, from {copyPath}. The original, damaged in {damaged.Damage.Count} {(damaged.Damage.Count == 1 ? "place" : "places")}, is {kept}");
        return ExitCode.Good;
    }

    private static InspectedSegment Damaged(string file, SegmentHeader? headerIfLost)
    {
        try
        {
            return SegmentInspection.Verify(DiskVolume.Instance, file, headerIfLost: headerIfLost);
        }
        catch (NotASegmentException e)
        {
            throw new RefusedException($"refused: {e.Message}", ExitCode.Damaged);
        }
    }
}
