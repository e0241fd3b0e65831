using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;
using KawaOrleans.Cli;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>The command <c>kawa verify</c> on a data directory whose files lie in the page cache, from its arguments to its exit code.</summary>
/// <remarks>The files are read by positional reads, so beside each hash there is a copy, which "reading alone" measures; the limit hashes mapped bytes in place.</remarks>
internal static class Verify
{
    private const string Ours = "kawa verify";
    private const string OneFile = "of one file";
    private const string Limit = "checksum limit";
    private const string Reading = "reading alone";
    private const string LimitOfAllCores = "limit of all cores";
    private const int Files = 4;

    /// <summary>As much as kawa reads at once.</summary>
    private const int ReadBytes = 256 * 1024;

    public static Row Row { get; } = new("verify", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        foreach (var size in BodySize.Both.Where(s => run.Wants(Id(s))))
        {
            var folder = run.Scratch.Folder("verify");
            var eventsInFile = run.Pick(64, 192) * (1 << 20) / size.FrameBytes;
            var paths = Fill(folder, size, eventsInFile);
            var segments = paths.ConvertAll(Segment.OpenReadOnly);
            double bytes = segments.Sum(static s => s.Tail.Offset);
            var found = Rounds.Compare(2, run.Pick(7, 11),
                Side.Rate(Ours, bytes, () => Expect(folder)),
                Side.Rate(OneFile, bytes / Files, () => Expect(paths[0])),
                Side.Rate(Limit, bytes, () => segments.ForEach(Scanning.Hash)),
                Side.Rate(Reading, bytes, () => paths.ForEach(Read)),
                Side.Rate(LimitOfAllCores, bytes, () => Parallel.ForEach(segments, Scanning.Hash)));
            yield return new Figure
            {
                Id = Id(size),
                Title = $"kawa verify of {Files} sealed files on all cores, vs checksum limit of one core in 64 KiB blocks, {size}",
                Unit = Unit.Times,
                Goal = Goal.AtLeast(0.5),
                Value = found.Ratio(Ours, Limit),
                Detail = UnitText.Text(
                    $"{found.Describe(static rate => UnitText.Text($"{rate / 1e9:0.0} GB/s"))}; one file vs limit {found.Ratio(OneFile, Limit):0.00}×, all vs limit of all cores {found.Ratio(Ours, LimitOfAllCores):0.00}×; page cache warm"),
            };
            segments.ForEach(static s => s.Dispose());
            Scratch.Remove(folder);
        }
    }

    private static string Id(BodySize size) => $"verify.{size.Bytes}";

    private static List<string> Fill(string folder, BodySize size, int eventsInFile)
    {
        using var store = NodeStore.Open(folder, "bench");
        var next = 0L;
        var paths = new List<string>();
        for (var file = 0; file < Files; file++)
        {
            var segment = store.Create(Segments.Header(Segments.FileBytesFor(size, eventsInFile), next, epoch: file + 1));
            Segments.Fill(segment.OpenWriter(Guid.NewGuid()), size, eventsInFile);
            next = segment.Fence(savedChainVersion: 1).Position;
            segment.Seal(next);
            segment.WriteFooter();
            paths.Add(segment.Path);
        }

        return paths;
    }

    private static void Read(string path)
    {
        using var file = File.OpenHandle(path);
        var buffer = new byte[ReadBytes];
        for (var offset = 0L; RandomAccess.Read(file, buffer, offset) is var read and > 0; offset += read)
        {
        }
    }

    private static void Expect(string path)
    {
        using var output = new StringWriter();
        var code = CommandTree.RunAsync(["verify", path], Terminal.Of(output, static () => Stream.Null, TextWriter.Null, redirected: true)).GetAwaiter().GetResult();
        if (code != 0)
        {
            throw new InvalidOperationException($"kawa verify answered {code}: {output}");
        }
    }
}
