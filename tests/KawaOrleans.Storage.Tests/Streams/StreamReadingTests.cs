using KawaOrleans.Format;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Streams;

/// <summary>A stream is read out of a segment alike while it is written, after a restart, and once it is sealed.</summary>
public sealed class StreamReadingTests
{
    private readonly StillTime _time = new();
    private SimulatedVolume _volume = new();
    private NodeStore _store;

    public StreamReadingTests() => _store = NodeStore.Open(_volume, "/kawa", "node-1", _time);

    [Fact]
    public async Task A_stream_is_read_forward_and_backward_in_every_state_of_its_segment()
    {
        var (a, b) = SameHash.Pairs[0];
        await AppendAsync(1, [.. Enumerable.Range(0, 300).Select(i => i % 3 == 0 ? a : i % 3 == 1 ? b : $"other-{i}")]);
        AssertReads(a, b);
        Restart();
        AssertReads(a, b);
        Seal();
        AssertReads(a, b);
    }

    [Fact]
    public async Task A_segment_says_where_the_stream_was_before_it()
    {
        await AppendAsync(1, ["a", "b", "a"]);
        Seal();
        await AppendAsync(2, ["c", "a"]);

        Assert.Equal((1, 2L, 2L), Bounds("a"));
        Assert.Equal((0, 0L, 1L), Bounds("b"));
        Assert.Equal((1, 0L, -1L), Bounds("c"));
        Assert.Equal((0, 0L, -1L), Bounds("never"));
        Assert.Empty(Segment.ReadStream("a", from: 0, backward: false, int.MaxValue, int.MaxValue).Runs);
        Assert.Empty(Segment.ReadStream("a", from: 1, backward: true, int.MaxValue, int.MaxValue).Runs);
        Seal();
        _store.MergeHeads();
        Assert.Equal((1, 2L, 2L), Bounds("a"));
        Assert.Equal((0, 0L, 1L), Bounds("b"));
    }

    [Fact]
    public async Task Streams_are_listed_where_they_begin_in_that_order_and_once()
    {
        await AppendAsync(1, ["b-1", "a-2", "b-1", "a-1"]);
        AssertLists(["b-1", "a-2", "a-1"], ["a-2", "a-1"]);
        Seal();
        AssertLists(["b-1", "a-2", "a-1"], ["a-2", "a-1"]);
        await AppendAsync(2, ["a-1", "a-3", "b-1"]);
        AssertLists(["a-3"], ["a-3"]);
        Restart();
        AssertLists(["a-3"], ["a-3"]);
        Seal();
        AssertLists(["a-3"], ["a-3"]);
    }

    private Segment Segment => _store.Segments.MaxBy(s => s.Header.Identity.Epoch)!;

    private void AssertReads(string a, string b)
    {
        foreach (var stream in new[] { a, b })
        {
            Assert.Equal(Range(0, 99), Revisions(Segment.ReadStream(stream, 0, backward: false, int.MaxValue, int.MaxValue), stream));
            Assert.Equal(Range(40, 99), Revisions(Segment.ReadStream(stream, 40, backward: false, int.MaxValue, int.MaxValue), stream));
            Assert.Equal(Range(40, 49), Revisions(Segment.ReadStream(stream, 40, backward: false, 10, int.MaxValue), stream));
            Assert.Equal(Range(31, 40), Revisions(Segment.ReadStream(stream, 40, backward: true, 10, int.MaxValue), stream));
            Assert.Equal(Range(0, 99), Revisions(Segment.ReadStream(stream, long.MaxValue, backward: true, int.MaxValue, int.MaxValue), stream));
            Assert.Equal([99], Revisions(Segment.ReadStream(stream, long.MaxValue, backward: true, 5, 1), stream));
            Assert.Equal([7], Revisions(Segment.ReadStream(stream, 7, backward: false, 5, 1), stream));
            Assert.Empty(Segment.ReadStream(stream, 100, backward: false, 5, int.MaxValue).Runs);
            Assert.Empty(Segment.ReadStream(stream, 5, backward: false, 0, int.MaxValue).Runs);
        }

        Assert.Equal((0, 0L, -1L), Bounds("order-none"));
    }

    private (int Count, long First, long Before) Bounds(string stream) =>
        Segment.ReadStream(stream, 0, backward: false, 0, 1) is var slice ? (slice.Count, slice.First, slice.Before) : default;

    private static IEnumerable<long> Range(long first, long last) => Enumerable.Range((int)first, (int)(last - first + 1)).Select(i => (long)i);

    private void AssertLists(string[] all, string[] withPrefix)
    {
        foreach (var atOnce in new[] { 1, 2, 100 })
        {
            Assert.Equal(all, List("", atOnce));
            Assert.Equal(withPrefix, List("a-", atOnce));
            Assert.Empty(List("c", atOnce));
        }
    }

    private List<string> List(string prefix, int atOnce)
    {
        var names = new List<string>();
        for (var next = 0L; next >= 0;)
        {
            (var some, next) = Segment.ListStreams(prefix, next, atOnce);
            names.AddRange(some);
        }

        return names;
    }

    private List<long> Revisions(StreamSlice slice, string stream)
    {
        var revisions = new List<long>();
        var rest = slice.Bytes;
        foreach (var run in slice.Runs)
        {
            for (var offset = run.Offset; offset < run.Offset + run.Length;)
            {
                Assert.Equal(FrameStatus.Whole, Frame.TryRead(rest.Span, offset, Segment.Header.Identity, out var frame));
                Assert.True(EventFrame.TryOpen(frame, Segment.Header.BasePosition, out var e));
                Assert.Equal(stream, e.ToRecordedEvent().Stream);
                revisions.Add(e.Revision);
                rest = rest[frame.Bytes.Length..];
                offset = frame.End;
            }
        }

        Assert.Equal(0, rest.Length);
        return revisions;
    }

    private async Task AppendAsync(int number, string[] streams)
    {
        var end = _store.Segments.Select(s => s.Tail.Position).DefaultIfEmpty().Max();
        var header = Sample.Header(new Guid(number, 7, 7, new byte[8]), basePosition: end, epoch: number, fileBytes: 1 << 20) with
        {
            Predecessor = number == 1 ? null : new Guid(number - 1, 7, 7, new byte[8]),
        };
        await _store.Create(header).OpenWriter(Guid.NewGuid()).AppendAsync(EventBatch.Encode([.. streams.Select(s => new EventData(s, "happened", default))]));
    }

    private void Seal()
    {
        var segment = Segment;
        segment.Seal(segment.Fence(1).Position);
        segment.WriteFooter();
    }

    private void Restart()
    {
        _volume = _volume.AfterKill();
        _store = NodeStore.Open(_volume, "/kawa", "node-1", _time);
    }
}
