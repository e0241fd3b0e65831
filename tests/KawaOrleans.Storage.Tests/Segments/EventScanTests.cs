using KawaOrleans.Format;

namespace KawaOrleans.Storage.Tests.Segments;

public sealed class EventScanTests : IDisposable
{
    private const int Events = 300;
    private const long Base = 1000;

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(SegmentState.Open)]
    [InlineData(SegmentState.Fenced)]
    [InlineData(SegmentState.Sealed)]
    public async Task A_scan_gives_the_events_of_any_range_in_order(SegmentState state)
    {
        using var segment = await SegmentAsync(state);
        foreach (var (from, to) in (IEnumerable<(long, long)>)[(0, long.MaxValue), (Base, Base + 1), (Base + 15, Base + 17), (Base + 16, Base + 100), (Base + 299, Base + 300), (Base + 300, Base + 400), (Base + 20, Base + 10), (0, Base), (long.MaxValue - 1, long.MaxValue)])
        {
            var found = new List<RecordedEvent>();
            foreach (var e in segment.Scan(from, to))
            {
                found.Add(e.ToRecordedEvent());
            }

            Assert.Equal(Positions(from, to), found.Select(e => e.Position));
            Assert.All(found, e => Sample.AssertIs((int)(e.Position - Base), e, Size((int)(e.Position - Base))));
        }
    }

    /// <summary>The end of a block is found through the index; what a walk over all frames would have answered is worked out here.</summary>
    [Theory]
    [InlineData(SegmentState.Open)]
    [InlineData(SegmentState.Sealed)]
    public async Task A_block_holds_as_many_events_as_fit_and_at_least_one(SegmentState state)
    {
        using var segment = await SegmentAsync(state);
        var ends = new List<(long Start, long End)>();
        foreach (var e in segment.Scan(Base, long.MaxValue))
        {
            ends.Add((e.Frame.Offset, e.Frame.End));
        }

        var random = new Random(11);
        for (var i = 0; i < 2000; i++)
        {
            var first = random.Next(Events);
            var to = Base + random.Next(first, Events + 20);
            var (maxEvents, maxBytes) = (random.Next(1, 60), random.Next(1, 8000));
            var behind = Math.Min(Events, first + maxEvents);
            behind = (int)Math.Min(behind, to - Base);
            while (behind > first + 1 && ends[behind - 1].End - ends[first].Start > maxBytes)
            {
                behind--;
            }

            var block = segment.Read(Base + first, to, maxEvents, maxBytes);

            Assert.Equal(Base + Math.Max(first, behind), block.Next);
            if (behind > first)
            {
                // A checkpoint behind the last event may be in it or not.
                Assert.Equal(ends[first].Start, block.Run.Offset);
                Assert.InRange(block.Run.Offset + block.Run.Length, ends[behind - 1].End, behind < Events ? ends[behind].Start : ends[behind - 1].End);
            }
        }
    }

    [Fact]
    public async Task A_scan_ends_with_an_error_at_the_first_frame_that_is_not_what_was_written()
    {
        using (await SegmentAsync(SegmentState.Sealed))
        {
        }

        using var segment = Segment.OpenReadOnly(_directory.File("a.seg"));
        var offset = 0L;
        foreach (var e in segment.Scan(Base + 200, Base + 201))
        {
            offset = e.Frame.Offset;
        }

        using (var file = File.OpenHandle(_directory.File("a.seg"), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            var one = new byte[1];
            RandomAccess.Read(file, one, offset + 60);
            one[0] ^= 4;
            RandomAccess.Write(file, one, offset + 60);
        }

        var next = Base;
        var damaged = Assert.Throws<SegmentDamagedException>(() =>
        {
            foreach (var e in segment.Scan(Base, long.MaxValue))
            {
                Assert.Equal(next++, e.Position);
            }
        });
        Assert.Equal((Base + 200, offset), (next, damaged.Offset));
    }

    /// <summary>A span does not keep its map: without the scan's own hold this would end the process.</summary>
    [Fact]
    public async Task A_scan_outlives_the_segment_it_reads()
    {
        var segment = await SegmentAsync(SegmentState.Open);
        var count = 0;
        foreach (var e in segment.Scan(Base, long.MaxValue))
        {
            if (count++ == 0)
            {
                segment.Dispose();
                segment = null!;
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            Sample.AssertIs(count - 1, e.ToRecordedEvent(), Size(count - 1));
        }

        Assert.Equal(Events, count);
    }

    [Fact]
    public async Task A_scan_allocates_nothing()
    {
        using var segment = await SegmentAsync(SegmentState.Open);
        Assert.Equal(Events, Count(segment));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var count = Count(segment);
        Assert.Equal((Events, 0), (count, GC.GetAllocatedBytesForCurrentThread() - before));
    }

    private static int Count(Segment segment)
    {
        var count = 0;
        foreach (var e in segment.Scan(Base, long.MaxValue))
        {
            count += e.Data.IsEmpty ? 0 : 1;
        }

        return count;
    }

    private static int Size(int number) => 20 + (number * 37 % 400);

    private static IEnumerable<long> Positions(long from, long to) =>
        Enumerable.Range(0, Events).Select(i => Base + i).Where(p => p >= from && p < to);

    /// <summary>Batches of one to five events of many sizes, with checkpoints between them.</summary>
    private async Task<Segment> SegmentAsync(SegmentState state)
    {
        var segment = Segment.Create(_directory.File("a.seg"), Sample.Header(basePosition: Base, fileBytes: 1 << 20));
        for (var next = 0; next < Events;)
        {
            // A new writer begins behind a checkpoint of its own making now and then.
            var writer = segment.OpenWriter(Guid.NewGuid());
            for (var batch = 0; batch < 20 && next < Events; batch++)
            {
                var size = Math.Min(1 + (batch % 5), Events - next);
                await writer.AppendAsync(EventBatch.Encode([.. Enumerable.Range(next, size).Select(n => Sample.Event(n, Size(n)))]));
                next += size;
            }

            segment.Dispose();
            segment = Segment.Open(_directory.File("a.seg"));
        }

        if (state >= SegmentState.Fenced)
        {
            segment.Fence(savedChainVersion: 1);
        }

        if (state == SegmentState.Sealed)
        {
            segment.Seal(Base + Events);
            segment.WriteFooter();
        }

        return segment;
    }
}
