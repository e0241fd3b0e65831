using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Recovery;

/// <summary>A segment is read before its recovery is finished, as far as a checkpoint that was synced reaches; everything else waits.</summary>
public sealed class UnfinishedRecoveryTests
{
    private const int Covered = 12;
    private const int Acknowledged = 15;
    private static readonly string Path = $"{Workload.Directory}/logs/{Sample.LogId:N}/{Workload.FirstId:N}-0.seg";

    [Fact]
    public async Task What_a_synced_checkpoint_covers_is_read_before_anything_is_recovered()
    {
        var volume = await CrashedAsync();
        volume.Recorded = [];
        using var segment = Open(volume);

        Assert.Equal(1000 + Covered, segment.Published.Position);
        for (var i = 0; i < Covered; i++)
        {
            Assert.True(segment.TryRead(1000 + i, out var found));
            Sample.AssertIs(i, found!, Workload.DataBytes(0));
        }

        Assert.Equal(1000 + Covered, segment.Read(1003, long.MaxValue, 100, 1_000_000).Next);
        Assert.Equal(SegmentState.Open, segment.State);
        Assert.Empty(volume.Recorded);
    }

    public static TheoryData<string, Action<Segment>> WhatNeedsTheEnd => new()
    {
        { "tail", s => Assert.Equal(1000 + Acknowledged, s.Tail.Position) },
        { "read one", s => Assert.True(s.TryRead(1000 + Acknowledged - 1, out _)) },
        { "read behind the end", s => Assert.False(s.TryRead(1000 + Acknowledged, out _)) },
        { "read on", s => Assert.Equal(1000 + Acknowledged, s.Read(1000 + Covered, long.MaxValue, 100, 1_000_000).Next) },
        { "read all", s => Assert.Equal(Acknowledged, Sample.ReadAll(s).Count) },
        { "wait", s => Assert.True(s.WaitForAsync(1000 + Acknowledged - 1, TimeSpan.Zero, default).AsTask().GetAwaiter().GetResult()) },
        { "stats", s => Assert.Equal(Acknowledged, s.GetStats().Events) },
        { "torn", s => Assert.Equal(0, s.TornBytes) },
        { "fence", s => Assert.Equal(1000 + Acknowledged, s.Fence(1).Position) },
        { "write", s => Assert.Equal(1000 + Acknowledged, s.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Event(Acknowledged)).AsTask().GetAwaiter().GetResult().First) },
    };

    [Theory]
    [MemberData(nameof(WhatNeedsTheEnd))]
    public async Task Whatever_needs_the_end_has_the_recovery_finished_first(string call, Action<Segment> act)
    {
        var volume = await CrashedAsync();
        using var segment = Open(volume);
        Assert.NotEmpty(call);

        act(segment);

        Assert.True(segment.Published.Position >= 1000 + Acknowledged);
        var lost = volume.AfterPowerLoss(Survival.None);
        using var kept = SegmentLoader.Load(Host(lost), Path, writable: true);
        Assert.True(Sample.ReadAll(kept).Count >= Acknowledged);
    }

    [Theory]
    [InlineData(OperationKind.Read)]
    [InlineData(OperationKind.Write)]
    [InlineData(OperationKind.Sync)]
    public async Task A_recovery_that_failed_fails_every_later_call_the_same_way_and_is_not_tried_again(OperationKind failing)
    {
        var volume = await CrashedAsync();
        using var segment = Open(volume);
        volume.Fault = o =>
        {
            if (o.Kind == failing)
            {
                throw new IOException("Input/output error");
            }
        };
        var first = Assert.ThrowsAny<StorageException>(() => segment.Tail);
        volume.Fault = null;
        volume.Recorded = [];

        Assert.Same(first, Assert.ThrowsAny<StorageException>(() => segment.Fence(1)));
        Assert.Same(first, Assert.ThrowsAny<StorageException>(() => segment.OpenWriter(Guid.NewGuid())));
        Assert.Same(first, Assert.ThrowsAny<StorageException>(() => segment.TryRead(1000 + Covered, out _)));
        Assert.True(segment.TryRead(1000 + Covered - 1, out _));
        Assert.Empty(volume.Recorded);
    }

    [Fact]
    public async Task A_segment_closed_before_it_was_recovered_has_changed_nothing_and_recovers_at_the_next_start()
    {
        var volume = await CrashedAsync();
        volume.Recorded = [];
        var segment = Open(volume);
        segment.Dispose();

        Assert.Throws<WriterFencedException>(() => segment.Tail);
        Assert.Empty(volume.Recorded);
        using var again = SegmentLoader.Load(Host(volume), Path, writable: true);
        Assert.Equal(1000 + Acknowledged, again.Tail.Position);
    }

    /// <summary>Its checkpoints come after no sync, so they prove nothing.</summary>
    [Fact]
    public async Task Of_a_mapped_segment_nothing_is_read_before_it_is_recovered()
    {
        var volume = await CrashedAsync(Durability.Mapped);
        using var segment = Open(volume);

        Assert.Equal(1000, segment.Published.Position);
        Assert.Equal(Acknowledged, Sample.ReadAll(segment).Count);
    }

    [Fact]
    public async Task A_store_serves_what_is_certain_while_it_recovers_and_lists_its_segments_when_it_has()
    {
        var volume = await CrashedAsync();
        using var mayFinish = new ManualResetEventSlim();
        volume.Fault = o =>
        {
            if (o.Kind == OperationKind.Sync && o.Path == Path)
            {
                mayFinish.Wait();
            }
        };
        using var store = NodeStore.Open(volume, Workload.Directory, Workload.NodeName, new StillTime());

        Assert.True(store.TryGet(Workload.FirstId, 0, out var segment));
        Assert.True(segment!.TryRead(1000, out _));
        var listed = Task.Run(() => store.Segments);
        Assert.False(listed.IsCompleted);
        Assert.Equal(1000 + Covered, segment.Published.Position);

        mayFinish.Set();
        Assert.Same(segment, Assert.Single(await listed));
        Assert.Equal(1000 + Acknowledged, segment.Published.Position);
    }

    /// <summary>Damage behind the checkpoint is found after the file was taken for good.</summary>
    [Fact]
    public async Task A_segment_found_damaged_while_it_recovers_is_told_and_no_longer_listed()
    {
        var volume = await CrashedAsync();
        using (var whole = SegmentLoader.Load(Host(volume.AfterKill()), Path, writable: false))
        {
            var run = whole.Read(1000 + Covered, long.MaxValue, 1, 1).Run;
            volume.Bytes(Path)[(int)run.Offset + 60] ^= 1;
        }

        using var store = NodeStore.Open(volume, Workload.Directory, Workload.NodeName, new StillTime());

        Assert.Equal(Path, Assert.Single(store.Untrusted).Path);
        Assert.Empty(store.Segments);
        Assert.False(store.TryGet(Workload.FirstId, 0, out _));
    }

    /// <summary>Twelve events, a checkpoint, three events in groups of their own; then the process dies.</summary>
    private static async Task<SimulatedVolume> CrashedAsync(Durability durability = Durability.Durable)
    {
        var volume = new SimulatedVolume();
        var store = NodeStore.Open(volume, Workload.Directory, Workload.NodeName, new StillTime());
        var writer = store.Create(Sample.Header(Workload.FirstId, basePosition: 1000)).OpenWriter(Guid.NewGuid(), durability);
        await writer.AppendAsync(Sample.Batch(0, Covered, Workload.DataBytes(0)));
        await Workload.CheckpointAsync(store, writer);
        for (var i = Covered; i < Acknowledged; i++)
        {
            await writer.AppendAsync(Sample.Event(i));
        }

        return volume.AfterKill();
    }

    private static Segment Open(SimulatedVolume volume) => SegmentLoader.LoadUnrecovered(Host(volume), Path, writable: true);

    private static SegmentHost Host(SimulatedVolume volume) => new(volume, new MapCache(), new StillTime(), null);
}
