using System.Buffers;
using System.CommandLine;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Inspection;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Cli.Dumping;

/// <summary>Writes events as lines of JSON.</summary>
internal static class DumpCommand
{
    private const int StepBytes = 64 * 1024;

    public static Command Make(Terminal terminal)
    {
        var path = CommandTree.PathArgument();
        var from = new Option<long>("--from") { Description = "The first position.", DefaultValueFactory = static _ => 0 };
        var to = new Option<long>("--to") { Description = "The position behind the last.", DefaultValueFactory = static _ => long.MaxValue };
        var log = new Option<string?>("--log") { Description = "The log's name; needed where the directory holds several." };
        var command = new Command(
            "dump", "Writes a log's events to standard output, one JSON object a line, each verified before it is written. Stops at damage (1) and says so; positions that lie on other nodes are told on standard error.")
        {
            path, from, to, log,
        };
        command.SetAction(arguments =>
        {
            using var target = Target.Open(arguments.GetRequiredValue(path), changes: false);
            using var output = terminal.OpenOutput();
            Run(terminal, output, Ordered(target, arguments.GetValue(log)), arguments.GetValue(from), arguments.GetValue(to));
            return ExitCode.Good;
        });
        return command;
    }

    private static List<InspectedSegment> Ordered(Target target, string? log)
    {
        var segments = new List<InspectedSegment>();
        var names = new SortedSet<string>(target.Directory?.Chains.Select(static c => c.LogName) ?? [], StringComparer.Ordinal);
        foreach (var (logId, file) in target.Files)
        {
            var found = SegmentInspection.Look(DiskVolume.Instance, file);
            names.UnionWith(found.Header is { } header ? [header.LogName] : []);
            if (found.Damage is [var place, ..])
            {
                // Of a file whose header is lost nobody knows whose events it holds.
                if (log is null || found.Header is null || found.Header.LogName == log)
                {
                    throw new SegmentDamagedException(place.Path, place.Offset, place.Found);
                }
            }
            else if (Target.WhyMisplaced(logId, found) is { } misplaced)
            {
                throw new RefusedException(misplaced, ExitCode.Damaged);
            }
            else if (found.Events > 0 && (log is null || found.Header!.LogName == log))
            {
                segments.Add(found);
            }
        }

        if (log is not null && !names.Contains(log))
        {
            throw new RefusedException($"There is no log '{log}' here{(names.Count == 0 ? "." : $", only: {string.Join(", ", names)}.")}", ExitCode.Unusable);
        }

        if (segments.Select(static s => (s.Header!.LogId, s.Header.LogName)).Distinct().ToList() is { Count: > 1 } logs)
        {
            throw new RefusedException($"It holds several logs: {string.Join(", ", logs.Select(static l => l.LogName))}. Name one with --log, or one of their files.", ExitCode.Unusable);
        }

        segments.Sort(static (a, b) => a.Header!.BasePosition.CompareTo(b.Header!.BasePosition));
        foreach (var (before, after) in segments.Zip(segments.Skip(1)))
        {
            if (before.Tail!.Value.Position > after.Header!.BasePosition)
            {
                throw new RefusedException($"{before.Path} and {after.Path} hold the same positions, and only the chain says which counts. Dump them one by one.", ExitCode.Unusable);
            }
        }

        return segments;
    }

    private static void Run(Terminal terminal, Stream output, List<InspectedSegment> segments, long from, long to)
    {
        var lines = new ArrayBufferWriter<byte>(StepBytes * 2);
        var next = Math.Max(from, segments.Count == 0 ? 0 : segments[0].Header!.BasePosition);
        foreach (var segment in segments)
        {
            var (header, tail) = (segment.Header!, segment.Tail!.Value);
            if (tail.Position <= from || header.BasePosition >= to)
            {
                continue;
            }

            if (header.BasePosition > next)
            {
                terminal.Error.WriteLine($"positions {next} to {header.BasePosition - 1} are not here");
            }

            using var file = DiskVolume.Instance.Open(segment.Path, writable: false);
            var walk = new SegmentWalk(file, header, tail.Offset);
            walk.Run(full: true, stopAtDamage: true, visit: e =>
            {
                if (e.Position >= from && e.Position < to)
                {
                    EventLine.Write(e, lines);
                    Flush(output, lines, StepBytes);
                }
            });
            Flush(output, lines, 0);
            if (walk.Damage is [var place, ..])
            {
                throw new SegmentDamagedException(place.Path, place.Offset, place.Found);
            }

            next = tail.Position;
        }

        output.Flush();
    }

    private static void Flush(Stream output, ArrayBufferWriter<byte> lines, int above)
    {
        if (lines.WrittenCount > above)
        {
            output.Write(lines.WrittenSpan);
            lines.ResetWrittenCount();
        }
    }
}
