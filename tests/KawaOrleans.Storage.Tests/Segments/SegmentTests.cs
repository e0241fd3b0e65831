namespace KawaOrleans.Storage.Tests.Segments;

public sealed class SegmentTests : IDisposable
{
    private readonly TestDirectory _directory = new();
    private readonly string _path;

    public SegmentTests() => _path = _directory.File("a.seg");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task What_was_appended_is_read_back_equal_in_order()
    {
        using var segment = Segment.Create(_path, Sample.Header(basePosition: 1000));
        var writer = segment.OpenWriter(Guid.NewGuid());

        var one = await writer.AppendAsync(Sample.Event(0));
        var three = await writer.AppendAsync(Sample.Batch(1, 3));

        Assert.Equal(1000, one.First);
        Assert.Equal((1001, 3), (three.First, three.Count));
        var events = Sample.ReadAll(segment, from: 1000);
        Assert.Equal([1000, 1001, 1002, 1003], events.Select(e => e.Position));
        for (var i = 0; i < 4; i++)
        {
            Sample.AssertIs(i, events[i]);
            Assert.True(segment.TryRead(1000 + i, out var single));
            Sample.AssertIs(i, single!);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(999)]
    [InlineData(1001)]
    [InlineData(long.MaxValue)]
    public async Task A_position_outside_the_segment_is_not_found(long position)
    {
        using var segment = Segment.Create(_path, Sample.Header(basePosition: 1000));
        await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Event(0));

        Assert.False(segment.TryRead(position, out _));
    }

    [Fact]
    public async Task A_reopened_segment_goes_on_where_it_stopped()
    {
        using (var segment = Segment.Create(_path, Sample.Header()))
        {
            await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Batch(0, 10));
        }

        using var again = Segment.Open(_path);
        Assert.Equal(SegmentState.Open, again.State);
        Assert.Equal(0, again.TornBytes);
        var appended = await again.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Batch(10, 10));

        Assert.Equal(10, appended.First);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => (long)i), Sample.ReadAll(again).Select(e => e.Position));
    }

    [Fact]
    public async Task Concurrent_appends_take_dense_positions_and_every_batch_stays_together()
    {
        using var segment = Segment.Create(_path, Sample.Header(fileBytes: 4 * 1024 * 1024));
        var writer = segment.OpenWriter(Guid.NewGuid());

        var appends = await Task.WhenAll(Enumerable.Range(0, 400).Select(i => Task.Run(async () => (i, await writer.AppendAsync(Sample.Batch(i * 3, 3))))));

        var events = Sample.ReadAll(segment, maxBytes: 100_000);
        Assert.Equal(1200, events.Count);
        foreach (var (i, batch) in appends)
        {
            for (var n = 0; n < 3; n++)
            {
                Sample.AssertIs((i * 3) + n, events[(int)batch.First + n]);
            }
        }
    }

    /// <summary>What carries an append to disk is used again by the next one: nobody may be given another's outcome.</summary>
    [Fact]
    public async Task Every_caller_of_many_gets_the_place_of_its_own_event_again_and_again()
    {
        using var segment = Segment.Create(_directory.File("a.seg"), Sample.Header(fileBytes: 1 << 20));
        var writer = segment.OpenWriter(Guid.NewGuid());

        var placed = await Task.WhenAll(Enumerable.Range(0, 16).Select(caller => Task.Run(async () =>
        {
            var mine = new List<(int Number, long First)>();
            for (var number = caller * 20; number < (caller + 1) * 20; number++)
            {
                // Awaited directly, through a task, and not at all.
                _ = number % 5 == 0 ? writer.FlushAsync().AsTask() : null;
                var append = writer.AppendAsync(Sample.Event(number));
                mine.Add((number, (number % 2 == 0 ? await append : await append.AsTask()).First));
            }

            return mine;
        })));

        var events = Sample.ReadAll(segment);
        Assert.Equal(320, events.Count);
        Assert.All(placed.SelectMany(static p => p), p => Sample.AssertIs(p.Number, events[(int)p.First]));
    }

    [Fact]
    public async Task An_outcome_is_taken_once()
    {
        using var segment = Segment.Create(_directory.File("a.seg"), Sample.Header());
        var append = segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Event(0));
        Assert.Equal(0, (await append).First);

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await append);
    }

    [Fact]
    public async Task A_full_segment_refuses_the_batch_and_everything_after_it()
    {
        using var segment = Segment.Create(_path, Sample.Header());
        var writer = segment.OpenWriter(Guid.NewGuid());
        await writer.AppendAsync(Sample.Event(0, dataBytes: 30_000));

        await Assert.ThrowsAsync<SegmentFullException>(async () => await writer.AppendAsync(Sample.Event(1, dataBytes: 30_000)));
        await Assert.ThrowsAsync<SegmentFullException>(async () => await writer.AppendAsync(Sample.Event(2)));
        Assert.Single(Sample.ReadAll(segment));
    }

    [Fact]
    public async Task A_newer_writer_fences_the_older_one()
    {
        using var segment = Segment.Create(_path, Sample.Header());
        var older = segment.OpenWriter(Guid.NewGuid());
        await older.AppendAsync(Sample.Event(0));
        var newer = segment.OpenWriter(Guid.NewGuid());

        await Assert.ThrowsAsync<WriterFencedException>(async () => await older.AppendAsync(Sample.Event(1)));
        var appended = await newer.AppendAsync(Sample.Event(1));

        Assert.Equal(1, appended.First);
        Assert.Equal(2, Sample.ReadAll(segment).Count);
    }

    [Fact]
    public async Task Fenced_and_sealed_survive_a_restart_and_refuse_writers()
    {
        using (var segment = Segment.Create(_path, Sample.Header()))
        {
            var writer = segment.OpenWriter(Guid.NewGuid());
            await writer.AppendAsync(Sample.Batch(0, 5));
            Assert.Equal(5, segment.Fence(savedChainVersion: 3).Position);
            await Assert.ThrowsAsync<WriterFencedException>(async () => await writer.AppendAsync(Sample.Event(5)));
        }

        using (var fenced = Segment.Open(_path))
        {
            Assert.Equal(SegmentState.Fenced, fenced.State);
            Assert.Throws<WriterFencedException>(() => fenced.OpenWriter(Guid.NewGuid()));
            Assert.Equal(5, fenced.Fence(savedChainVersion: 9).Position);
            fenced.Seal(5);
        }

        using var closed = Segment.Open(_path);
        Assert.Equal((SegmentState.Sealed, 5L), (closed.State, closed.Tail.Position));
        Assert.Throws<WriterFencedException>(() => closed.OpenWriter(Guid.NewGuid()));
        Assert.Equal(5, Sample.ReadAll(closed).Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(40)]
    public async Task Sealing_below_the_tail_makes_the_rest_void(int end)
    {
        using (var segment = Segment.Create(_path, Sample.Header()))
        {
            var writer = segment.OpenWriter(Guid.NewGuid());
            for (var i = 0; i < 40; i++)
            {
                await writer.AppendAsync(Sample.Event(i));
            }

            segment.Fence(savedChainVersion: 1);
            segment.Seal(end);
            Assert.Equal(end, Sample.ReadAll(segment).Count);
            Assert.True(segment.WriteFooter());
            Assert.Equal(end, Sample.ReadAll(segment).Count);
        }

        using var again = Segment.Open(_path);
        Assert.Equal(end, Sample.ReadAll(again).Count);
        Assert.False(again.TryRead(end, out _));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(300)]
    public async Task A_sealed_segment_reads_through_its_footer_and_without_it(int count)
    {
        using (var segment = Segment.Create(_path, Sample.Header(fileBytes: 256 * 1024, basePosition: 50)))
        {
            await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Batch(0, count));
            segment.Fence(savedChainVersion: 1);
            segment.Seal(50 + count);
        }

        foreach (var withFooter in (bool[])[false, true])
        {
            using var segment = Segment.Open(_path);
            Assert.True(!withFooter || segment.WriteFooter());
            for (var i = 0; i < count; i++)
            {
                Assert.True(segment.TryRead(50 + i, out var found));
                Sample.AssertIs(i, found!);
            }

            Assert.Equal(count, Sample.ReadAll(segment, from: 50).Count);
            Assert.Equal(count, segment.Bounds!.Value.Events);
        }
    }

    [Fact]
    public async Task Opening_for_reading_changes_no_byte()
    {
        using (var segment = Segment.Create(_path, Sample.Header()))
        {
            await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Batch(0, 5));
        }

        var before = await File.ReadAllBytesAsync(_path);
        using (var segment = Segment.OpenReadOnly(_path))
        {
            Assert.Equal(5, Sample.ReadAll(segment).Count);
            Assert.True(segment.GetStats().IsReadOnly);
            Assert.Throws<WriterFencedException>(() => segment.OpenWriter(Guid.NewGuid()));
        }

        Assert.Equal(before, await File.ReadAllBytesAsync(_path));
    }

    [Fact]
    public void An_existing_file_is_never_overwritten()
    {
        File.WriteAllText(_path, "mine");

        Assert.ThrowsAny<IOException>(() => Segment.Create(_path, Sample.Header()));
        Assert.Equal("mine", File.ReadAllText(_path));
    }

    [Fact]
    public async Task A_waiting_reader_wakes_when_something_is_appended_and_not_before()
    {
        using var segment = Segment.Create(_path, Sample.Header());
        var writer = segment.OpenWriter(Guid.NewGuid());
        var waiting = segment.WaitForAsync(0, TimeSpan.FromMinutes(1), CancellationToken.None);
        Assert.False(waiting.IsCompleted);

        await writer.AppendAsync(Sample.Event(0));

        Assert.True(await waiting);
        Assert.False(await segment.WaitForAsync(1, TimeSpan.Zero, CancellationToken.None));
    }

    [Fact]
    public async Task Timestamps_never_fall_even_when_the_clock_does()
    {
        var clock = new SetClock(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
        using var segment = Segment.Create(_path, Sample.Header(), clock);
        var writer = segment.OpenWriter(Guid.NewGuid());
        var first = await writer.AppendAsync(Sample.Event(0));
        clock.Now -= TimeSpan.FromHours(1);

        var second = await writer.AppendAsync(Sample.Event(1));

        Assert.Equal(first.Timestamp, second.Timestamp);
    }

    private sealed class SetClock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
