using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Segments;

/// <summary>A replica that gets its bytes from another one.</summary>
public sealed class ReplicaWriterTests
{
    private static readonly Guid Opening = new("40000000-0000-0000-0000-000000000001");

    private static readonly SegmentHeader Header = Sample.Header(fileBytes: 128 * 1024) with
    {
        Ensemble = [Sample.NodeId, new("20000000-0000-0000-0000-000000000002"), new("20000000-0000-0000-0000-000000000003")], AckQuorum = 2,
    };

    [Fact]
    public async Task A_follower_has_the_bytes_of_its_primary_and_reads_alike()
    {
        var (primary, follower) = (new Disk(), new Disk());
        var writer = primary.Segment.OpenWriter(Opening);
        for (var i = 0; i < 40; i++)
        {
            await writer.AppendAsync(Sample.Batch(i * 3, 3));
            if (i % 3 == 0)
            {
                Feed(primary.Segment, follower.Segment, 700);
            }
        }

        Feed(primary.Segment, follower.Segment, 700);
        AssertSame(primary, follower);
        Assert.Equal((SegmentState.Open, Opening), (follower.Segment.State, follower.Segment.OpeningId));
        var stream = primary.Segment.ReadStream("order-3", 0, false, 100, 1 << 20);
        Assert.Equal(stream.Bytes.ToArray(), follower.Segment.ReadStream("order-3", 0, false, 100, 1 << 20).Bytes.ToArray());
        var written = primary.Segment.Fence(1);
        follower.Segment.Fence(1);
        primary.Segment.Seal(57);
        Assert.True(primary.Segment.ReadGroups(written.Offset, 1).IsEmpty);
        follower.Segment.Seal(57);
        primary.Segment.WriteFooter();
        follower.Segment.WriteFooter();
        Assert.Equal(57, Sample.ReadAll(follower.Segment).Count);
        Assert.Equal(primary.Bytes, follower.Bytes);
    }

    [Fact]
    public async Task Checkpoints_come_from_the_primary_and_bound_the_followers_recovery()
    {
        var (primary, follower) = (new Disk(checkpointIntervalBytes: 2048), new Disk());
        var writer = primary.Segment.OpenWriter(Opening);
        for (var i = 0; i < 60; i++)
        {
            await writer.AppendAsync(Sample.Batch(i * 2, 2));
            Feed(primary.Segment, follower.Segment, 1 << 20);
        }

        AssertSame(primary, follower);
        var after = follower.AfterPowerLoss(Survival.None);
        Assert.True(after.Segment.Published.Position > 90);
        AssertSame(primary, after);

        // And it goes on where it was.
        await writer.AppendAsync(Sample.Batch(120, 2));
        Feed(primary.Segment, after.Segment, 1 << 20);
        AssertSame(primary, after);
    }

    [Fact]
    public async Task What_does_not_begin_at_the_tail_changes_nothing()
    {
        var (primary, follower) = (new Disk(), new Disk());
        var writer = primary.Segment.OpenWriter(Opening);
        await writer.AppendAsync(Sample.Batch(0, 2));
        var first = primary.Segment.Tail;
        await writer.AppendAsync(Sample.Batch(2, 2));
        var replica = follower.Segment.OpenReplica();
        var blank = follower.Segment.Tail;
        Assert.Equal(blank, replica.Follow(Opening, first.Position, first.Offset, primary.Segment.ReadGroups(first.Offset, 1)));
        Assert.Equal(SegmentState.Prepared, follower.Segment.State);
        Feed(primary.Segment, follower.Segment, 1 << 20);
        var before = follower.Bytes;
        Assert.Equal(primary.Segment.Tail, replica.Follow(Opening, blank.Position, blank.Offset, primary.Segment.ReadGroups(blank.Offset, 1)));
        Assert.Equal(before, follower.Bytes);
    }

    [Fact]
    public async Task Another_opening_is_refused_also_after_a_restart()
    {
        var (primary, follower) = (new Disk(), new Disk());
        await primary.Segment.OpenWriter(Opening).AppendAsync(Sample.Batch(0, 2));
        Feed(primary.Segment, follower.Segment, 1 << 20);
        var tail = follower.Segment.Tail;
        Assert.Throws<WriterFencedException>(() => follower.Segment.OpenReplica().Follow(Guid.NewGuid(), tail.Position, tail.Offset, default));
        var after = follower.AfterPowerLoss(Survival.None).Segment;
        Assert.Throws<WriterFencedException>(() => after.OpenReplica().Follow(Guid.NewGuid(), tail.Position, tail.Offset, default));
        Assert.Equal(tail, after.OpenReplica().Follow(Opening, tail.Position, tail.Offset, default));
    }

    [Fact]
    public async Task A_fenced_follower_takes_nothing_but_what_completes_it()
    {
        var (primary, follower) = (new Disk(), new Disk());
        var writer = primary.Segment.OpenWriter(Opening);
        await writer.AppendAsync(Sample.Batch(0, 2));
        Feed(primary.Segment, follower.Segment, 1 << 20);
        await writer.AppendAsync(Sample.Batch(2, 2));
        await writer.AppendAsync(Sample.Batch(4, 2));
        var replica = follower.Segment.OpenReplica();
        Assert.Throws<WriterFencedException>(() => Complete(primary.Segment, replica));
        var fenced = follower.Segment.Fence(3);
        Assert.Throws<WriterFencedException>(() => replica.Follow(Opening, fenced.Position, fenced.Offset, primary.Segment.ReadGroups(fenced.Offset, 1)));
        Assert.Equal(6, Complete(primary.Segment, replica).Position);
        AssertSame(primary, follower);

        // The tail it was fenced at is not where it ends any more, and that is no damage.
        var after = follower.AfterPowerLoss(Survival.None);
        Assert.Equal((SegmentState.Fenced, 6), (after.Segment.State, after.Segment.Tail.Position));
        after.Segment.Seal(6);
        Assert.Equal(6, Sample.ReadAll(after.Segment).Count);
        Assert.Throws<WriterFencedException>(() => after.Segment.OpenReplica());
    }

    [Fact]
    public async Task A_replica_fenced_before_it_was_opened_is_completed_from_the_start()
    {
        var (primary, follower) = (new Disk(), new Disk());
        await primary.Segment.OpenWriter(Opening).AppendAsync(Sample.Batch(0, 3));
        follower.Segment.Fence(1);
        Assert.Equal(3, Complete(primary.Segment, follower.Segment.OpenReplica()).Position);
        AssertSame(primary, follower.AfterPowerLoss(Survival.None));
    }

    [Fact]
    public async Task A_fenced_primary_can_be_completed_too()
    {
        var (primary, longer) = (new Disk(), new Disk());
        await primary.Segment.OpenWriter(Opening).AppendAsync(Sample.Batch(0, 3));
        Feed(primary.Segment, longer.Segment, 1 << 20);
        var source = new Disk();
        var writer = source.Segment.OpenWriter(Opening);
        await writer.AppendAsync(Sample.Batch(0, 3));
        await writer.AppendAsync(Sample.Batch(3, 3));
        Assert.Throws<InvalidOperationException>(() => primary.Segment.OpenReplica());
        primary.Segment.Fence(1);
        Complete(source.Segment, primary.Segment.OpenReplica());
        AssertSame(source, primary);
    }

    [Fact]
    public async Task A_primary_of_several_is_opened_once()
    {
        var primary = new Disk();
        await primary.Segment.OpenWriter(Opening).AppendAsync(Sample.Batch(0, 3));
        Assert.Throws<WriterFencedException>(() => primary.Segment.OpenWriter(Guid.NewGuid()));
        Assert.Throws<WriterFencedException>(() => primary.AfterPowerLoss(Survival.None).Segment.OpenWriter(Guid.NewGuid()));
    }

    [Fact]
    public void The_only_replica_follows_nobody()
    {
        using var segment = SegmentLoader.Create(Disk.HostOf(Disk.Volume()), "/d/s.seg", Sample.Header());
        Assert.Throws<InvalidOperationException>(segment.OpenReplica);
    }

    [Fact]
    public async Task Bytes_that_are_no_groups_of_this_segment_are_refused_and_nothing_is_written()
    {
        var (primary, follower) = (new Disk(), new Disk());
        var writer = primary.Segment.OpenWriter(Opening);
        await writer.AppendAsync(Sample.Batch(0, 3));
        await writer.AppendAsync(Sample.Batch(3, 3));
        var start = follower.Segment.Tail;
        var groups = primary.Segment.ReadGroups(start.Offset, 1 << 20).ToArray();
        var replica = follower.Segment.OpenReplica();
        var before = follower.Bytes;
        for (var bit = 0; bit < groups.Length * 8; bit += 13)
        {
            groups[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<BatchRefusedException>(() => replica.Follow(Opening, start.Position, start.Offset, groups));
            groups[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (var length = 8; length < groups.Length; length += 8)
        {
            if (length != primary.Segment.ReadGroups(start.Offset, 1).Length)
            {
                Assert.Throws<BatchRefusedException>(() => replica.Follow(Opening, start.Position, start.Offset, groups.AsMemory(0, length)));
            }
        }

        Assert.Equal(before, follower.Bytes);
        Assert.Equal(6, replica.Follow(Opening, start.Position, start.Offset, groups).Position);
    }

    [Fact]
    public async Task Readers_stop_at_what_is_known_to_be_acknowledged_until_the_segment_is_sealed()
    {
        var primary = new Disk();
        var writer = primary.Segment.OpenWriter(Opening);
        await writer.AppendAsync(Sample.Batch(0, 7));
        await writer.AppendAsync(Sample.Batch(7, 7));
        AssertShows(0, primary.Segment);
        Assert.True(primary.Segment.KnowsCommitted);
        var waitingForStream = primary.Segment.WaitForStreamAsync("order-3", 0, TimeSpan.FromDays(1), default).AsTask();
        Assert.False(waitingForStream.IsCompleted);
        primary.Segment.Learn(7);
        await waitingForStream;
        primary.Segment.Learn(3);
        AssertShows(7, primary.Segment);
        Assert.False(await primary.Segment.WaitForAsync(7, TimeSpan.Zero, default));
        var waiting = primary.Segment.WaitForAsync(7, TimeSpan.FromDays(1), default).AsTask();
        primary.Segment.Learn(100);
        Assert.True(await waiting);
        AssertShows(14, primary.Segment);
        var after = primary.AfterPowerLoss(Survival.None).Segment;
        AssertShows(0, after);
        Assert.False(after.KnowsCommitted);
        after.Fence(1);
        AssertShows(0, after);
        Assert.False(after.KnowsCommitted);
        after.Seal(14);
        AssertShows(14, after);
        Assert.True(after.KnowsCommitted);
    }

    private static void AssertShows(int events, Segment segment)
    {
        Assert.Equal(events, segment.Committed);
        Assert.Equal(events, Sample.ReadAll(segment).Count);
        Assert.Equal(events > 0, segment.TryRead(events - 1, out _));
        Assert.False(segment.TryRead(events, out _));
        Assert.Equal(events / 7, segment.ReadStream("order-3", 0, false, 100, 1 << 20).Count);
        Assert.Equal((events / 7) - 1, segment.EndOf("order-3")!.Value.LastRevision);
        Assert.Equal(events / 7, segment.FirstSince("order-3", long.MaxValue));
        Assert.Equal(Math.Min(events, 7), segment.ListStreams("order-", 0, 100).Names.Count);
        var seen = 0;
        foreach (var e in segment.Scan(0, long.MaxValue))
        {
            seen++;
        }

        Assert.Equal(events, seen);
    }

    [Fact]
    public async Task A_follower_syncs_each_group_before_it_writes_the_next()
    {
        var (primary, follower) = (new Disk(), new Disk());
        var writer = primary.Segment.OpenWriter(Opening);
        for (var i = 0; i < 5; i++)
        {
            await writer.AppendAsync(Sample.Batch(i, 1));
        }

        follower.Files.RecordFromHere();
        Feed(primary.Segment, follower.Segment, 1 << 20);
        var kinds = follower.Files.Recorded!.Select(operation => operation.Kind).ToList();

        // The opening, then each group by itself.
        Assert.Equal([.. Enumerable.Repeat((OperationKind[])[OperationKind.Write, OperationKind.Sync], 6).SelectMany(pair => pair)], kinds);
    }

    [Fact]
    public async Task A_failed_sync_ends_the_follower_until_it_is_recovered_and_what_it_had_told_is_there()
    {
        var (primary, follower) = (new Disk(), new Disk());
        var writer = primary.Segment.OpenWriter(Opening);
        await writer.AppendAsync(Sample.Batch(0, 2));
        Feed(primary.Segment, follower.Segment, 1 << 20);
        await writer.AppendAsync(Sample.Batch(2, 2));
        follower.Files.Fault = operation =>
        {
            if (operation.Kind == OperationKind.Sync)
            {
                throw new IOException("the disk failed");
            }
        };
        Assert.Throws<SegmentPoisonedException>(() => Feed(primary.Segment, follower.Segment, 1 << 20));
        follower.Files.Fault = null;
        Assert.Throws<SegmentPoisonedException>(() => Feed(primary.Segment, follower.Segment, 1 << 20));
        Assert.Throws<SegmentPoisonedException>(() => follower.Segment.Fence(1));
        var after = follower.AfterPowerLoss(Survival.None);
        Assert.Equal(2, after.Segment.Tail.Position);
        Feed(primary.Segment, after.Segment, 1 << 20);
        AssertSame(primary, after);
    }

    [Fact]
    public async Task A_crash_in_any_group_leaves_a_prefix_and_is_never_taken_for_damage()
    {
        var primary = new Disk(checkpointIntervalBytes: 2048);
        var writer = primary.Segment.OpenWriter(Opening);
        for (var i = 0; i < 12; i++)
        {
            await writer.AppendAsync(Sample.Batch(i * 2, 2, dataBytes: 300));
        }

        var all = primary.Segment.ReadGroups(FileLayout.FirstFrame, 1 << 20).ToArray();
        var follower = new Disk();
        var start = follower.Files.RecordFromHere();
        Feed(primary.Segment, follower.Segment, 1 << 20);
        foreach (var (left, _, where) in CrashPoints.PowerLosses(start, follower.Files.Recorded!, seeds: 3, everySector: false))
        {
            try
            {
                using var segment = SegmentLoader.Load(Disk.HostOf(left), "/d/s.seg", writable: true);
                var had = segment.ReadGroups(FileLayout.FirstFrame, 1 << 20);
                Assert.Equal(all.AsSpan(0, had.Length).ToArray(), had.ToArray());
                Feed(primary.Segment, segment, 1 << 20);
                Assert.Equal(primary.Segment.Tail, segment.Tail);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{where}: {e.Message}", e);
            }
        }
    }

    /// <summary>Sends what the follower lacks, in pieces of about so many bytes.</summary>
    private static void Feed(Segment primary, Segment follower, int maxBytes)
    {
        var replica = follower.OpenReplica();
        for (var tail = follower.Tail; tail.Offset < primary.Tail.Offset;)
        {
            var groups = primary.ReadGroups(tail.Offset, maxBytes);
            var next = replica.Follow(Opening, tail.Position, tail.Offset, groups);
            Assert.Equal(tail.Offset + groups.Length, next.Offset);
            tail = next;
        }
    }

    private static Tail Complete(Segment source, ReplicaWriter replica)
    {
        var tail = replica.Complete(0, 0, default);
        while (tail.Offset < source.Tail.Offset)
        {
            tail = replica.Complete(tail.Position, tail.Offset, source.ReadGroups(tail.Offset, 300));
        }

        return tail;
    }

    private static void AssertSame(Disk one, Disk other)
    {
        Assert.Equal(one.Segment.Tail, other.Segment.Tail);
        var length = (int)(one.Segment.Tail.Offset - FileLayout.FirstFrame);
        Assert.Equal(one.Frames(length), other.Frames(length));
        one.Segment.Learn(long.MaxValue);
        other.Segment.Learn(long.MaxValue);
        Assert.Equal(Sample.ReadAll(one.Segment).Select(e => e.Id), Sample.ReadAll(other.Segment).Select(e => e.Id));
    }

    private sealed class Disk
    {
        public Disk(long checkpointIntervalBytes = FileLayout.CheckpointIntervalBytes)
        {
            Files = Volume();
            Segment = SegmentLoader.Create(HostOf(Files) with { CheckpointIntervalBytes = checkpointIntervalBytes }, "/d/s.seg", Header);
        }

        private Disk(SimulatedVolume left)
        {
            Files = left;
            Segment = SegmentLoader.LoadUnrecovered(HostOf(left), "/d/s.seg", writable: true);
        }

        public SimulatedVolume Files { get; }

        public Segment Segment { get; }

        public byte[] Bytes => Files.Bytes("/d/s.seg").ToArray();

        public static SimulatedVolume Volume()
        {
            var volume = new SimulatedVolume();
            volume.CreateDirectory("/d");
            volume.SyncDirectory("/d");
            return volume;
        }

        public static SegmentHost HostOf(SimulatedVolume volume) => new(volume, new MapCache(), new StillTime(), WhenSealed: null);

        public byte[] Frames(int length) => Files.Bytes("/d/s.seg").Slice((int)FileLayout.FirstFrame, length).ToArray();

        public Disk AfterPowerLoss(Survival survival) => new(Files.AfterPowerLoss(survival));
    }
}
