using KawaOrleans.Storage.Inspection;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Faults;

/// <summary>Writes and syncs that fail, and full disks.</summary>
public sealed class FailedWriteTests
{
    private const string Path = "/a.seg";

    [Theory]
    [InlineData(OperationKind.Write)]
    [InlineData(OperationKind.Sync)]
    public async Task A_failed_write_or_sync_poisons_the_segment_and_nothing_after_it_is_acknowledged_or_written(OperationKind failing)
    {
        var volume = new SimulatedVolume();
        var segment = Create(volume);
        var writer = segment.OpenWriter(Guid.NewGuid());
        await writer.AppendAsync(Sample.Event(0));
        volume.Fault = o => Fail(o.Kind == failing);
        await Assert.ThrowsAsync<SegmentPoisonedException>(async () => await writer.AppendAsync(Sample.Event(1)));
        volume.Fault = null;
        volume.Recorded = [];

        await Assert.ThrowsAsync<SegmentPoisonedException>(async () => await writer.AppendAsync(Sample.Event(2)));
        await Assert.ThrowsAsync<SegmentPoisonedException>(async () => await writer.FlushAsync());
        Assert.Throws<SegmentPoisonedException>(() => segment.OpenWriter(Guid.NewGuid()));
        Assert.Throws<SegmentPoisonedException>(() => segment.Fence(1));
        segment.CheckpointIfIdle(TimeSpan.Zero);
        segment.Dispose();

        Assert.Empty(volume.Recorded);
        Assert.Equal("Input/output error", segment.Poisoned);
        Assert.Equal(1, segment.Tail.Position);
        Assert.Single(Sample.ReadAll(segment));
    }

    [Fact]
    public async Task Batches_waiting_behind_a_failed_sync_are_refused_too()
    {
        var volume = new SimulatedVolume();
        var segment = Create(volume);
        var writer = segment.OpenWriter(Guid.NewGuid());
        volume.Fault = o => Fail(o.Kind == OperationKind.Sync);

        var appends = Enumerable.Range(0, 50).Select(i => Task.Run(async () => await writer.AppendAsync(Sample.Event(i)))).ToList();

        foreach (var append in appends)
        {
            await Assert.ThrowsAsync<SegmentPoisonedException>(() => append);
        }

        Assert.Equal(0, segment.Tail.Position);
    }

    /// <summary>A second attempt to seal synced again. After a failed sync the kernel calls the lost pages clean, so that one
    /// succeeded, and the segment said that it was sealed while the disk did not.</summary>
    [Fact]
    public async Task A_sealing_that_failed_is_not_repeated_by_the_same_process()
    {
        var volume = new SimulatedVolume();
        var segment = Create(volume);
        await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Event(0));
        segment.Fence(1);
        volume.Fault = o => Fail(o.Kind == OperationKind.Sync);
        Assert.Throws<SegmentPoisonedException>(() => segment.Seal(1));
        volume.Fault = null;
        volume.Recorded = [];

        Assert.Throws<SegmentPoisonedException>(() => segment.Seal(1));

        Assert.Empty(volume.Recorded);
        Assert.Equal(SegmentState.Fenced, segment.State);
        Assert.False(segment.WriteFooter());
    }

    /// <summary>The footer is written behind the end of a file of which only the page cache says that it is sealed: to the disk it would be damage.</summary>
    [Fact]
    public async Task A_footer_written_anew_puts_the_sealing_on_disk_first()
    {
        var volume = new SimulatedVolume();
        var segment = Create(volume);
        await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Event(0));
        segment.Fence(1);
        volume.Fault = o => Fail(o.Kind == OperationKind.Sync);
        Assert.Throws<SegmentPoisonedException>(() => segment.Seal(1));
        var left = volume.AfterKill();

        FooterRewrite.Run(left, SegmentInspection.Verify(left, Path));

        using var kept = SegmentLoader.Load(Host(left.AfterPowerLoss(Survival.None)), Path, writable: true);
        Assert.Equal(SegmentState.Sealed, kept.State);
        Sample.AssertIs(0, Assert.Single(Sample.ReadAll(kept)));
    }

    [Fact]
    public void A_fence_that_failed_is_not_repeated_by_the_same_process()
    {
        var volume = new SimulatedVolume();
        var segment = Create(volume);
        volume.Fault = o => Fail(o.Kind == OperationKind.Sync);
        Assert.Throws<SegmentPoisonedException>(() => segment.Fence(1));
        volume.Fault = null;

        Assert.Throws<SegmentPoisonedException>(() => segment.Fence(1));
        Assert.Equal(SegmentState.Prepared, segment.State);
    }

    /// <summary>The refusal of a file that was opened for reading was told as a failed write.</summary>
    [Fact]
    public async Task A_file_open_for_reading_refuses_fence_and_seal_and_is_not_poisoned()
    {
        var volume = new SimulatedVolume();
        using (var segment = Create(volume))
        {
            await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Event(0));
        }

        using var reader = SegmentLoader.Load(Host(volume), Path, writable: false);
        Assert.Throws<WriterFencedException>(() => reader.Fence(1));
        Assert.Null(reader.Poisoned);
    }

    /// <summary>Whether a group was refused was read after the gate was left: a fence in between turned events that were on disk,
    /// and read by everyone, into "nothing was written".</summary>
    [Fact]
    public async Task An_append_is_refused_by_a_fence_only_if_it_is_not_in_the_log()
    {
        for (var round = 0; round < 300; round++)
        {
            var segment = Create(new SimulatedVolume());
            var writer = segment.OpenWriter(Guid.NewGuid());
            using var start = new Barrier(2);
            var append = Task.Run(async () =>
            {
                start.SignalAndWait();
                var done = 0L;
                for (var i = 0; i < 20; i++)
                {
                    try
                    {
                        done = (await writer.AppendAsync(Sample.Event(i))).First + 1;
                    }
                    catch (WriterFencedException)
                    {
                        break;
                    }
                }

                return done;
            });
            start.SignalAndWait();
            await writer.FlushAsync();
            var end = segment.Fence(1).Position;

            Assert.Equal(end, await append);
        }
    }

    /// <summary>The writer's last act, giving its memory back, met the checkpoint that closing the segment writes.</summary>
    [Fact]
    public async Task A_segment_may_be_closed_the_moment_an_append_returns()
    {
        for (var round = 0; round < 500; round++)
        {
            var volume = new SimulatedVolume();
            using (var segment = Create(volume))
            {
                await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Event(round));
            }

            using var again = SegmentLoader.Load(Host(volume), Path, writable: true);
            Sample.AssertIs(round, Assert.Single(Sample.ReadAll(again)));
            Assert.Equal(0, again.TornBytes);
        }
    }

    [Fact]
    public async Task A_disk_without_room_for_the_next_segment_refuses_it_and_the_current_one_works_on()
    {
        var volume = new SimulatedVolume();
        using var store = NodeStore.Open(volume, "/kawa", "node-1", new StillTime());
        var writer = store.Create(Sample.Header()).OpenWriter(Guid.NewGuid());
        volume.Fault = o => _ = o.Kind == OperationKind.Create ? throw new DiskFullException(o.Path, o.Length, new IOException("No space left")) : 0;

        Assert.Throws<DiskFullException>(() => store.PrepareSpare(Sample.LogId, Guid.NewGuid(), 64 * 1024));
        Assert.Throws<DiskFullException>(() => store.Create(Sample.Header(Guid.NewGuid(), basePosition: 1)));
        await writer.AppendAsync(Sample.Event(0));
        volume.Fault = null;

        Assert.NotNull(store.Create(Sample.Header(Guid.NewGuid(), basePosition: 1)));
    }

    [Fact]
    public void A_rename_that_fails_makes_no_segment_and_the_next_start_is_clean()
    {
        var volume = new SimulatedVolume();
        using (var store = NodeStore.Open(volume, "/kawa", "node-1", new StillTime()))
        {
            volume.Fault = o => Fail(o.Kind == OperationKind.Rename);
            Assert.ThrowsAny<IOException>(() => store.Create(Sample.Header()));
            volume.Fault = null;
            Assert.Empty(store.Segments);
        }

        using var again = NodeStore.Open(volume, "/kawa", "node-1", new StillTime());
        Assert.Empty(again.Untrusted);
        Assert.NotNull(again.Create(Sample.Header()));
    }

    private static SegmentHost Host(SimulatedVolume volume) => new(volume, new MapCache(), new StillTime(), null);

    private static Segment Create(SimulatedVolume volume) => SegmentLoader.Create(Host(volume), Path, Sample.Header());

    private static void Fail(bool now)
    {
        if (now)
        {
            throw new IOException("Input/output error");
        }
    }
}
