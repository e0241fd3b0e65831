using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Tests.Segments;

public sealed class MappedSegmentTests : IDisposable
{
    private readonly TestDirectory _directory = new();
    private readonly string _path;

    public MappedSegmentTests() => _path = _directory.File("a.seg");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_same_events_give_the_same_frames_as_the_durable_writer()
    {
        var clock = new FixedClock();
        var paths = new List<string>();
        foreach (var durability in Enum.GetValues<Durability>())
        {
            paths.Add(_directory.File($"{durability}.seg"));
            using var segment = Segment.Create(paths[^1], Sample.Header(), clock);
            var writer = segment.OpenWriter(Guid.Empty, durability);
            for (var i = 0; i < 40; i += 4)
            {
                Assert.Equal(i, (await writer.AppendAsync(Sample.Batch(i, 4))).First);
            }

            Assert.Equal(40, Sample.ReadAll(segment).Count);
        }

        Assert.Equal(Frames(paths[0]), Frames(paths[1]));
    }

    [Fact]
    public async Task A_batch_that_is_not_written_leaves_nothing_behind_the_tail()
    {
        var copy = _directory.File("copy.seg");
        using var segment = Segment.Create(_path, Sample.Header());
        var writer = segment.OpenWriter(Guid.NewGuid(), Durability.Mapped);
        await writer.AppendAsync(Sample.Batch(0, 4));
        var expected = StreamExpectations.Of([new StreamExpectation("nobody", ExpectedRevision.StreamExists)]);

        Assert.Equal(BatchFate.UnexpectedRevision, (await Sample.AppendAsync(writer, Sample.Batch(4, 4), expected)).Fate);

        CopyOpenFile(segment, copy);
        using var left = Segment.Open(copy);
        Assert.Equal((4L, 0L), (left.Tail.Position, left.TornBytes));
    }

    [Fact]
    public void A_mapped_segment_left_open_by_a_dead_process_is_resumed_in_the_same_run_of_the_system()
    {
        var copy = _directory.File("copy.seg");
        using (var segment = Segment.Create(_path, Sample.Header()))
        {
            var writer = (MappedWriter)segment.OpenWriter(Guid.NewGuid(), Durability.Mapped);
            for (var i = 0; i < 30; i++)
            {
                writer.Append(Sample.Batch(i, 1));
            }

            // What a process killed now would leave.
            CopyOpenFile(segment, copy);
        }

        using var again = Segment.Open(copy);
        Assert.False(again.LostPower);
        Assert.Equal(30, Sample.ReadAll(again).Count);
        var appended = ((MappedWriter)again.OpenWriter(Guid.NewGuid())).Append(Sample.Batch(30, 1));
        Assert.Equal(30, appended.First);
    }

    [Fact]
    public void After_a_power_loss_a_mapped_segment_says_so_serves_its_prefix_and_is_not_resumed()
    {
        using (var segment = Segment.Create(_path, Sample.Header()))
        {
            var writer = (MappedWriter)segment.OpenWriter(Guid.NewGuid(), Durability.Mapped);
            for (var i = 0; i < 30; i++)
            {
                writer.Append(Sample.Batch(i, 1));
            }
        }

        // Another run of the system, and a page that never reached the disk.
        using (var file = DiskVolume.Instance.Open(_path, writable: true))
        {
            var sector = new OpenedSector(Guid.NewGuid(), 1, Durability.Mapped, Guid.NewGuid()).Encode(Sample.Header().Identity.ChecksumKey);
            file.Write(FileLayout.Opened, sector);
            file.Write(FileLayout.FirstFrame + 2048, new byte[512]);
        }

        using var again = Segment.Open(_path);
        Assert.True(again.LostPower);
        var left = Sample.ReadAll(again);
        Assert.InRange(left.Count, 1, 29);
        for (var i = 0; i < left.Count; i++)
        {
            Sample.AssertIs(i, left[i]);
        }

        Assert.Throws<WriterFencedException>(() => again.OpenWriter(Guid.NewGuid()));
        Assert.Equal(left.Count, again.Fence(savedChainVersion: 1).Position);
        again.Seal(left.Count);
        Assert.Equal(left.Count, Sample.ReadAll(again).Count);
    }

    [Fact]
    public async Task A_full_mapped_segment_refuses_and_a_fenced_one_too()
    {
        using var segment = Segment.Create(_path, Sample.Header());
        var writer = segment.OpenWriter(Guid.NewGuid(), Durability.Mapped);
        await writer.AppendAsync(Sample.Event(0, dataBytes: 30_000));

        await Assert.ThrowsAsync<SegmentFullException>(async () => await writer.AppendAsync(Sample.Event(1, dataBytes: 30_000)));
        Assert.Equal(1, segment.Fence(savedChainVersion: 1).Position);
        await Assert.ThrowsAsync<WriterFencedException>(async () => await writer.AppendAsync(Sample.Event(2)));
    }

    [Fact]
    public async Task Concurrent_mapped_appends_take_dense_positions_and_every_batch_stays_together()
    {
        using var segment = Segment.Create(_path, Sample.Header(fileBytes: 4 << 20));
        var writer = (MappedWriter)segment.OpenWriter(Guid.NewGuid(), Durability.Mapped);

        // Batches of two and frames longer than a copying step, so that both loops go round.
        var placed = await Task.WhenAll(Enumerable.Range(0, 4).Select(caller => Task.Run(() => Enumerable.Range(0, 20)
            .Select(n => (Number: ((caller * 20) + n) * 2, writer.Append(Sample.Batch(((caller * 20) + n) * 2, 2, Bytes(n))).First, Bytes: Bytes(n))).ToList())));

        var events = Sample.ReadAll(segment, maxBytes: 1 << 20);
        Assert.Equal(160, events.Count);
        foreach (var (number, first, bytes) in placed.SelectMany(static p => p))
        {
            Sample.AssertIs(number, events[(int)first], bytes);
            Sample.AssertIs(number + 1, events[(int)first + 1], bytes);
        }

        static int Bytes(int n) => n % 10 == 0 ? 40_000 : 100 + n;
    }

    [Fact]
    public async Task Readers_beside_a_mapped_writer_see_only_whole_batches()
    {
        using var segment = Segment.Create(_path, Sample.Header(fileBytes: 8 * 1024 * 1024));
        var writer = (MappedWriter)segment.OpenWriter(Guid.NewGuid(), Durability.Mapped);
        var batches = Enumerable.Range(0, 1000).Select(i => Sample.Batch(i * 5, 5)).ToArray();

        var reading = Task.Run(() =>
        {
            for (var seen = 0; seen < 5000;)
            {
                seen = Sample.ReadAll(segment, from: Math.Max(0, seen - 10), maxBytes: 1 << 20) is [.., var last] ? (int)last.Position + 1 : 0;
                Assert.Equal(0, seen % 5);
            }
        });
        foreach (var batch in batches)
        {
            writer.Append(batch);
        }

        await reading;
    }

    private static byte[] Frames(string path) => File.ReadAllBytes(path)[(int)FileLayout.FirstFrame..];

    private static void CopyOpenFile(Segment segment, string to)
    {
        var bytes = new byte[segment.Header.FileBytes];
        segment.WritableFile.Read(0, bytes);
        File.WriteAllBytes(to, bytes);
    }

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
    }
}
