using System.Diagnostics;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;
using KawaOrleans.Format;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine.Rows;

/// <summary>64 callers, each waiting for its one event to be on disk before it sends the next.</summary>
internal static class GroupCommit
{
    private const int Callers = 64;
    private const string SharingId = "group-commit.sharing";
    private const string TailId = "group-commit.p99";
    private const int SyncedBytes = 16 * 1024;

    public static Row Row { get; } = new("group-commit", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        var appends = run.Pick(60, 300);
        var rounds = run.Pick(5, 9);
        var size = BodySize.Small;
        var folder = run.Scratch.Folder("group-commit");
        using var segment = Segments.Create(folder, Segments.FileBytesFor(size, Callers * appends * (rounds + 2L)));
        var writer = segment.OpenWriter(Guid.NewGuid());
        using var probe = new SyncProbe(folder, SyncedBytes);
        var sharing = new List<double>();
        var slowSyncs = new List<double>();
        var found = Rounds.Compare(2, rounds,
        [
            new Side("one sync", () =>
            {
                var taken = probe.Each(run.Pick(100, 300));
                slowSyncs.Add(P99(taken));
                return Comparison.MedianOf(taken);
            }),
            new Side("p99", () =>
            {
                var from = segment.Tail.Position;
                var taken = Task.Run(() => AppendAsync(writer, size, appends)).GetAwaiter().GetResult();
                sharing.Add((double)taken.Length / Groups(segment, from));
                return P99(taken);
            }),
        ]);
        var perSync = Comparison.MedianOf(sharing[2..]);
        yield return new Figure
        {
            Id = SharingId,
            Title = $"{Callers} callers of single durable appends: events that share a sync",
            Unit = Unit.Events,
            Goal = Goal.AtLeast(20),
            Value = perSync,
            Detail = UnitText.Text($"syncs counted by the frames' group starts; rounds {sharing[2..].Min():0.0}–{sharing[2..].Max():0.0}"),
        };
        yield return new Figure
        {
            Id = TailId,
            Title = $"{Callers} callers of single durable appends: p99 in syncs",
            Unit = Unit.Times,
            Goal = Goal.AtMost(4),
            Value = found.Ratio("p99", "one sync"),
            Detail = found.Describe("p99", "one sync", s => UnitText.Time(TimeSpan.FromSeconds(s)))
                + UnitText.Text($"; p99 of a lone sync in the same rounds {slowSyncs[2..].Zip(found.Values("one sync"), (slow, median) => slow / median).Order().ElementAt(rounds / 2):0.0} of its median"),
        };
        Scratch.Remove(folder);
    }

    private static double P99(double[] taken) => taken.Order().ElementAt(taken.Length * 99 / 100);

    private static async Task<double[]> AppendAsync(SegmentWriter writer, BodySize size, int appends)
    {
        var taken = new double[Callers * appends];
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < appends; i++)
            {
                var started = Stopwatch.GetTimestamp();
                await writer.AppendAsync(size.Single((caller * appends) + i));
                taken[(caller * appends) + i] = Stopwatch.GetElapsedTime(started).TotalSeconds;
            }
        })));
        return taken;
    }

    private static int Groups(Segment segment, long from)
    {
        var groups = 0;
        var last = -1L;
        for (var next = from; ;)
        {
            var block = segment.Read(next, long.MaxValue, int.MaxValue, 1 << 20);
            if (block.Next == next)
            {
                return groups;
            }

            next = block.Next;
            var offset = block.Run.Offset;
            for (var bytes = block.Bytes.Span; !bytes.IsEmpty; bytes = bytes[(int)(offset - block.Run.Offset - (block.Bytes.Length - bytes.Length))..])
            {
                _ = Frame.TryRead(bytes, offset, segment.Header.Identity, out var frame);
                groups += frame.GroupStart == last ? 0 : 1;
                last = frame.GroupStart;
                offset = frame.End;
            }
        }
    }
}
