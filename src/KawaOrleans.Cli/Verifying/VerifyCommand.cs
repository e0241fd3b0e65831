using System.CommandLine;
using System.Globalization;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Inspection;
using KawaOrleans.Storage.Volumes;
using Spectre.Console;

namespace KawaOrleans.Cli.Verifying;

/// <summary>Reads every frame of every segment.</summary>
internal static class VerifyCommand
{
    public static Command Make(Terminal terminal)
    {
        var path = CommandTree.PathArgument();
        var command = new Command(
            "verify", "Reads and checks every frame of every segment, and changes nothing. 0: all good (a torn tail is: it was never acknowledged, and is said); 1: damaged, each place listed; 2: a file could not be read or used.")
        {
            path,
        };
        command.SetAction(arguments =>
        {
            using var target = Target.Open(arguments.GetRequiredValue(path), changes: false);
            return Run(terminal, target);
        });
        return command;
    }

    private static int Run(Terminal terminal, Target target)
    {
        var damage = new List<DamagedPlace>(target.Directory?.Damage ?? []);
        var problems = target.Directory?.Untrusted.Where(u => damage.TrueForAll(d => d.Path != u.Path)).Select(static u => u.Problem).ToList() ?? [];
        var notes = new List<string>();
        var events = 0L;
        foreach (var verified in VerifyAll(terminal, target))
        {
            damage.AddRange(verified.Damage);
            notes.AddRange(verified.Notes);
            problems.AddRange(verified.Problem is { } problem ? [problem] : []);
            events += verified.Events;
        }

        damage.ForEach(place => terminal.Output.WriteLine($"damaged: {place.Path} offset {place.Offset}: {place.Found}"));
        notes.ForEach(terminal.Output.WriteLine);
        problems.ForEach(terminal.Error.WriteLine);
        var count = string.Create(CultureInfo.InvariantCulture, $"{target.Files.Count} segment {(target.Files.Count == 1 ? "file" : "files")}, {events:N0} events");
        terminal.Output.WriteLine((damage.Count, problems.Count) switch
        {
            (0, 0) => $"{count}: all good.",
            (0, _) => $"{count}: no damage found, but {problems.Count} {(problems.Count == 1 ? "file" : "files")} could not be read or used.",
            _ => $"{count}: {damage.Count} damaged {(damage.Count == 1 ? "place" : "places")}.",
        });
        return damage.Count > 0 ? ExitCode.Damaged : problems.Count > 0 ? ExitCode.Unusable : ExitCode.Good;
    }

    /// <summary>As many files at once as there are cores; the answers are in the order of the files.</summary>
    private static Verified[] VerifyAll(Terminal terminal, Target target)
    {
        var bytes = target.Files.Select(static f => File.Exists(f.Path) ? new FileInfo(f.Path).Length : 0).ToArray();
        var all = new Verified[target.Files.Count];
        terminal.Progress.Progress().Start(progress =>
        {
            var bar = progress.AddTask("Verifying", maxValue: Math.Max(1, bytes.Sum()));
            Parallel.For(0, all.Length, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
            {
                var shown = 0L;
                all[i] = VerifyOne(target.Files[i].LogId, target.Files[i].Path, new Reached(Show));
                Show(bytes[i]);

                void Show(long reached)
                {
                    bar.Increment(reached - shown);
                    shown = reached;
                }
            });
        });
        return all;
    }

    private static Verified VerifyOne(Guid? logId, string file, Reached reached)
    {
        try
        {
            var found = SegmentInspection.Verify(DiskVolume.Instance, file, reached);
            IEnumerable<DamagedPlace> misplaced = Target.WhyMisplaced(logId, found) is { } reason ? [new DamagedPlace(file, 0, reason)] : [];
            return new Verified([.. found.AllDamage, .. misplaced], [.. Notes(found)], Problem: null, found.Events);
        }
        catch (StorageException e)
        {
            return new Verified([], [], e.Message, Events: 0);
        }
    }

    private static IEnumerable<string> Notes(InspectedSegment found)
    {
        if (found.TornBytes > 0)
        {
            yield return $"torn tail: {found.Path} offset {found.Tail?.Offset}: {found.TornBytes} bytes of an unfinished write group; the next start of the silo cuts them";
        }

        if (found.LostPower)
        {
            yield return $"power was lost: {found.Path}: a mapped segment whose machine went down; acknowledged events behind position {found.Tail?.Position} may be missing";
        }

        if (found.Footer == FooterState.Missing)
        {
            yield return $"no footer yet: {found.Path}: the next start of the silo writes it, or 'kawa rebuild-index'";
        }
    }

    /// <summary>What was found in one file.</summary>
    private sealed record Verified(IReadOnlyList<DamagedPlace> Damage, IReadOnlyList<string> Notes, string? Problem, long Events);

    /// <summary>Tells at once, on the caller's thread.</summary>
    private sealed class Reached(Action<long> tell) : IProgress<long>
    {
        public void Report(long value) => tell(value);
    }
}
