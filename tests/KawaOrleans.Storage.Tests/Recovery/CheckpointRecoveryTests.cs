using KawaOrleans.Format;
using KawaOrleans.Storage.Recovery;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Recovery;

public sealed class CheckpointRecoveryTests
{
    private const int MiB = 1024 * 1024;
    private const int SampleStreams = 7;
    private static readonly string Path = $"/kawa/logs/10000000000000000000000000000001/{Workload.FirstId:N}-0.seg";

    /// <summary>The events that follow a checkpoint in its own group were taken for strangers when recovery began at that checkpoint:
    /// a segment with more than one checkpoint was called damaged after a crash, although nothing was.</summary>
    [Fact]
    public async Task Recovery_reads_of_what_a_checkpoint_covers_only_names_and_without_hints_it_only_reads_more()
    {
        var volume = new SimulatedVolume();
        var segment = SegmentLoader.Create(new SegmentHost(volume, new MapCache(), new StillTime(), null), "/a.seg", Sample.Header(fileBytes: 28 * MiB));
        var writer = segment.OpenWriter(Guid.NewGuid());
        for (var i = 0; i < 22; i++)
        {
            await writer.AppendAsync(Sample.Batch(i * 10, 10, MiB / 10));
        }

        var after = volume.AfterKill();
        var reads = new List<(int Offset, int Bytes)>();
        after.Fault = o => reads.AddRange(o.Kind == OperationKind.Read && o.Offset >= FileLayout.FirstFrame ? [(o.Offset, o.Length)] : []);
        var quick = Find(after, "/a.seg");
        var readWithHints = after.BytesRead;
        Assert.True(quick.LastCheckpoint > 16 * MiB, $"{quick.LastCheckpoint}");

        // The checkpoints themselves, one read each; and the first event of each stream, which has its name: header, then all of it.
        var covered = reads.Where(r => r.Offset < quick.LastCheckpoint).ToList();
        Assert.InRange(covered.Count, 3, 6 + (2 * SampleStreams));
        Assert.InRange(covered.Sum(r => r.Bytes), 1, (6 * 32 * 1024) + (SampleStreams * MiB / 4));

        LoseHints(after, "/a.seg");
        after.ForgetCounts();
        var slow = Find(after, "/a.seg");

        Assert.True(after.BytesRead > readWithHints + (15 * MiB), $"{readWithHints} bytes with hints, {after.BytesRead} without");
        AssertSame(slow, quick);
        Assert.Equal(220, quick.Tail.Position);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task The_index_from_checkpoints_is_the_one_from_the_frames(int seed)
    {
        var volume = new SimulatedVolume();
        var work = new Workload(volume, new StillTime());
        var store = work.OpenStore();
        var writer = store.Create(Sample.Header(Workload.FirstId, basePosition: 1000)).OpenWriter(Guid.NewGuid());
        var choice = new Random(seed);
        for (var step = 0; step < 40; step++)
        {
            await work.AppendAsync(writer, choice.Next(1, 4), choice.Next(1, 3));
            if (choice.Next(4) == 0)
            {
                await Workload.CheckpointAsync(store, writer);
            }

            var after = volume.AfterKill();
            var quick = Find(after, Path);
            LoseHints(after, Path);
            AssertSame(Find(after, Path), quick);
        }
    }

    [Fact]
    public async Task A_writer_idle_for_a_second_leaves_one_checkpoint()
    {
        var volume = new SimulatedVolume();
        var time = new StillTime();
        var store = new Workload(volume, time).OpenStore();
        var writer = store.Create(Sample.Header(Workload.FirstId, basePosition: 1000)).OpenWriter(Guid.NewGuid());
        await writer.AppendAsync(Sample.Batch(0, 5));
        time.Advance(TimeSpan.FromSeconds(0.6));
        await writer.FlushAsync();
        Assert.Equal(0, Find(volume.AfterKill(), Path).LastCheckpoint);

        time.Advance(TimeSpan.FromSeconds(1.1));
        await writer.FlushAsync();
        var found = Find(volume.AfterKill(), Path);
        Assert.True(found.LastCheckpoint > 0);
        Assert.Equal(found.Positions.Count, found.CoveredPositions);

        volume.Recorded = [];
        time.Advance(TimeSpan.FromSeconds(10));
        await writer.FlushAsync();
        Assert.Empty(volume.Recorded);
    }

    [Fact]
    public async Task The_last_group_behind_an_idle_checkpoint_is_never_taken_for_torn()
    {
        var volume = new SimulatedVolume();
        var work = new Workload(volume, new StillTime());
        var store = work.OpenStore();
        var writer = store.Create(Sample.Header(Workload.FirstId, basePosition: 1000)).OpenWriter(Guid.NewGuid());
        await work.AppendAsync(writer, 5);
        await Workload.CheckpointAsync(store, writer);
        var left = volume.AfterKill();
        left.Bytes(Path)[(int)FileLayout.FirstFrame + 100] ^= 1;
        LoseHints(left, Path);

        Assert.Throws<SegmentDamagedException>(() => Find(left, Path));
    }

    [Fact]
    public async Task A_rotted_checkpoint_that_a_hint_names_is_damage()
    {
        var volume = new SimulatedVolume();
        var work = new Workload(volume, new StillTime());
        var store = work.OpenStore();
        var writer = store.Create(Sample.Header(Workload.FirstId, basePosition: 1000)).OpenWriter(Guid.NewGuid());
        await work.AppendAsync(writer, 5);
        await Workload.CheckpointAsync(store, writer);
        var left = volume.AfterKill();
        var checkpoint = (int)Find(left, Path).LastCheckpoint;
        for (var at = checkpoint; at < checkpoint + 80; at++)
        {
            left.Bytes(Path)[at] ^= 4;
            Assert.Throws<SegmentDamagedException>(() => Find(left, Path));
            left.Bytes(Path)[at] ^= 4;
        }
    }

    /// <summary>Whole, and not what a writer of these frames would have written: of another content, another time, another number.</summary>
    [Theory]
    [InlineData("content hash")]
    [InlineData("previous checkpoint")]
    [InlineData("events")]
    [InlineData("streams")]
    [InlineData("lengths")]
    public async Task A_checkpoint_that_contradicts_the_frames_before_it_is_damage(string wrong)
    {
        var volume = new SimulatedVolume();
        var work = new Workload(volume, new StillTime());
        var store = work.OpenStore();
        var header = Sample.Header(Workload.FirstId, basePosition: 1000);
        var writer = store.Create(header).OpenWriter(Guid.NewGuid());
        await work.AppendAsync(writer, 5);
        await Workload.CheckpointAsync(store, writer);
        var left = volume.AfterKill();
        var found = Find(left, Path);
        LoseHints(left, Path);
        Assert.Equal(found.Tail, Find(left, Path).Tail);

        var offset = found.LastCheckpoint;
        var bytes = left.Bytes(Path)[(int)offset..(int)found.Tail.Offset];
        Assert.Equal(FrameStatus.Whole, Frame.TryRead(bytes, offset, header.Identity, out var whole));
        var written = Checkpoint.Read(whole)!;
        var forged = wrong switch
        {
            "content hash" => written with { ContentHash = written.ContentHash + 1 },
            "previous checkpoint" => written with { Previous = FileLayout.FirstFrame },
            "streams" => written with { Streams = Sample.Streams(written.Events).Cover(0) },
            "lengths" => written with { Lengths = Sample.Lengths([.. Enumerable.Repeat(64, written.Events)]) },
            _ => written with { Events = written.Events - 1, Lengths = Sample.Lengths([.. Enumerable.Repeat(64, written.Events - 1)]) },
        };
        var frame = new byte[bytes.Length];
        var body = forged.Write(frame.AsSpan(FrameLayout.HeaderBytes));
        FrameStamp.Other(frame, FrameKind.Checkpoint, body, header.Identity.ChecksumKey, offset, offset, 5, found.Tail.LastTimestamp);
        frame.CopyTo(bytes);

        Assert.Contains("contradicts", Assert.Throws<SegmentDamagedException>(() => Find(left, Path)).Message, StringComparison.Ordinal);
    }

    private static RecoveredTail Find(SimulatedVolume volume, string path)
    {
        using var file = volume.Open(path, writable: false);
        var page = new byte[FileLayout.SectorBytes];
        file.Read(0, page);
        return SegmentRecovery.Find(file, SegmentHeaderCodec.Decode(path, page), mapped: false, powerWasLost: false);
    }

    private static void LoseHints(SimulatedVolume volume, string path) => volume.Bytes(path).Slice((int)FileLayout.HintA, FileLayout.PageBytes).Clear();

    private static void AssertSame(RecoveredTail expected, RecoveredTail found)
    {
        Assert.Equal(
            (expected.Tail, expected.ContentHash, expected.LastCheckpoint, expected.TornBytes, expected.Positions.Count),
            (found.Tail, found.ContentHash, found.LastCheckpoint, found.TornBytes, found.Positions.Count));
        Assert.Equal(expected.CoveredPositions, found.CoveredPositions);
        for (var i = 0; i < expected.Positions.Count; i++)
        {
            Assert.Equal(expected.Positions.OffsetOf(i), found.Positions.OffsetOf(i));
        }

        Assert.Equal(Described(expected.Streams), Described(found.Streams));
    }

    private static IEnumerable<string> Described(OpenStreams streams)
    {
        for (var ordinal = 0; ordinal < streams.Count; ordinal++)
        {
            var positions = new uint[streams.Events(ordinal)];
            streams.Positions(ordinal, 0, positions);
            yield return $"{streams.HashOf(ordinal)} from {streams.FirstRevision(ordinal)}: {string.Join(' ', positions)}";
        }
    }
}
