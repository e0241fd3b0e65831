using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Nodes;

/// <summary>The file that a log's next segment will take.</summary>
public sealed class SpareFileTests : IDisposable
{
    private const int StepBytes = 256 * 1024;

    private readonly TestDirectory _directory = new();
    private readonly SimulatedVolume _volume = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_spare_becomes_the_next_segment_of_its_size_and_goes_with_a_restart()
    {
        var folder = _directory.File($"logs/{Sample.LogId:N}");
        var (expected, other) = (Guid.NewGuid(), Guid.NewGuid());
        using (var store = Open())
        {
            store.PrepareSpare(Sample.LogId, expected, 128 * 1024);
            store.PrepareSpare(Sample.LogId, other, 128 * 1024);
            Assert.Equal($"{expected:N}-0.seg", Path.GetFileName(Assert.Single(Directory.GetFiles(folder))));
            Assert.Empty(store.Segments);
            store.Create(Sample.Header(expected, fileBytes: 128 * 1024));
            Assert.Single(Directory.GetFiles(folder));
            store.PrepareSpare(Sample.LogId, Guid.NewGuid(), 128 * 1024);
            store.Create(Sample.Header(other, fileBytes: 128 * 1024));
            Assert.Equal(2, Directory.GetFiles(folder).Length);
            store.PrepareSpare(Sample.LogId, Guid.NewGuid(), 128 * 1024);
            store.Create(Sample.Header(Guid.NewGuid(), fileBytes: 256 * 1024));
            Assert.Equal(3, Directory.GetFiles(folder).Length);
            store.PrepareSpare(Sample.LogId, Guid.NewGuid(), 128 * 1024);
        }

        using var again = Open();
        Assert.Equal(3, Directory.GetFiles(folder).Length);
        Assert.Equal(3, again.Segments.Count);
        Assert.Empty(again.Untrusted);
    }

    [Fact]
    public async Task A_spare_never_takes_the_place_of_a_segment()
    {
        using var store = Open();
        var segment = store.Create(Sample.Header());
        await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Batch(0, 3));

        Assert.Contains("Take a new segment id", Assert.Throws<StorageException>(
            () => store.PrepareSpare(Sample.LogId, segment.Header.Identity.Id, 64 * 1024)).Message);
        Assert.Equal(3, Sample.ReadAll(segment).Count);
    }

    /// <summary>A zero that came after the claim would fall on the header or on events.</summary>
    [Fact]
    public async Task A_claim_waits_for_the_zeroes_in_flight_and_none_follow()
    {
        using var store = Simulated();
        Task<Segment>? claim = null;
        var early = false;
        store.PrepareSpare(Sample.LogId, Guid.NewGuid(), 8 * StepBytes);
        _volume.Draining = _ =>
        {
            if (claim is null)
            {
                // On a thread of its own: the pool's may all be taken by other tests for longer than is waited here.
                claim = Task.Factory.StartNew(
                    () => store.Create(Sample.Header(fileBytes: 8 * StepBytes)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                early = claim.Wait(TimeSpan.FromMilliseconds(200));
            }
        };
        _volume.RecordFromHere();

        store.WriteSpareThrough(Sample.LogId);

        Assert.False(early);
        var segment = await claim!;
        await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Batch(0, 3));
        Assert.Equal(3, Sample.ReadAll(segment).Count);
        Assert.Single(ZeroesWritten());
    }

    [Fact]
    public void A_spare_is_written_through_behind_its_header_whatever_the_log_does()
    {
        using var store = Simulated();
        store.Create(Sample.Header());
        store.PrepareSpare(Sample.LogId, Guid.NewGuid(), 4 * StepBytes);
        _volume.RecordFromHere();

        store.WriteSpareThrough(Sample.LogId);
        var zeroes = ZeroesWritten();
        Assert.Equal(OperationKind.Sync, _volume.Recorded![^1].Kind);
        store.WriteSpareThrough(Sample.LogId);

        Assert.Equal(FileLayout.HeaderPageBytes, zeroes[0].Offset);
        Assert.All(zeroes.Zip(zeroes.Skip(1)), pair => Assert.Equal(pair.First.Offset + pair.First.Bytes!.Length, pair.Second.Offset));
        Assert.Equal(4 * StepBytes, zeroes[^1].Offset + zeroes[^1].Bytes!.Length);
        Assert.Equal(zeroes.Count, ZeroesWritten().Count);
        Assert.NotNull(store.Create(Sample.Header(Guid.NewGuid(), fileBytes: 4 * StepBytes, basePosition: 1)));
    }

    [Fact]
    public void A_spare_that_the_disk_refuses_is_gone_and_the_next_one_is_made()
    {
        using var store = Simulated();
        var refused = Guid.NewGuid();
        store.PrepareSpare(Sample.LogId, refused, 4 * StepBytes);
        var steps = 0;
        _volume.Fault = o => _ = o.Kind == OperationKind.Write && ++steps == 2 ? throw new IOException("no") : 0;

        Assert.Throws<IOException>(() => store.WriteSpareThrough(Sample.LogId));
        _volume.Fault = null;

        Assert.DoesNotContain(_volume.AllFiles, path => path.Contains($"{refused:N}", StringComparison.Ordinal));
        store.PrepareSpare(Sample.LogId, refused, 4 * StepBytes);
        store.WriteSpareThrough(Sample.LogId);
        Assert.NotNull(store.Create(Sample.Header(refused, fileBytes: 4 * StepBytes)));
    }

    [Fact]
    public void A_segment_that_the_disk_refuses_leaves_nothing_and_is_made_again()
    {
        using var store = Simulated();
        _volume.Fault = o => _ = o.Kind == OperationKind.Write && o.Offset > 0 ? throw new IOException("no") : 0;

        Assert.Throws<IOException>(() => store.Create(Sample.Header()));
        _volume.Fault = null;

        Assert.NotNull(store.Create(Sample.Header()));
    }

    /// <summary>Who waits for it is not made to wait for all of it.</summary>
    [Fact]
    public void A_file_that_nobody_made_ahead_is_written_through_at_its_beginning()
    {
        using var store = Simulated();
        _volume.RecordFromHere();

        store.Create(Sample.Header(fileBytes: 64 * StepBytes));

        Assert.InRange(ZeroesWritten().Count, 16, 33);
    }

    [Fact]
    public async Task A_store_that_closes_stops_writing_through()
    {
        var store = Simulated();
        store.Create(Sample.Header());
        store.PrepareSpare(Sample.LogId, Guid.NewGuid(), 32 * StepBytes);
        using var begun = new ManualResetEventSlim();
        _volume.Draining = _ => begun.Set();
        var writing = Task.Run(() => store.WriteSpareThrough(Sample.LogId));
        begun.Wait();

        store.Dispose();
        _volume.RecordFromHere();
        await writing;

        Assert.Empty(ZeroesWritten());
        Assert.Throws<ObjectDisposedException>(() => store.WriteSpareThrough(Sample.LogId));
        using var again = Simulated();
        Assert.Single(again.Segments);
        Assert.Empty(again.Untrusted);
    }

    private List<Operation> ZeroesWritten() =>
        [.. _volume.Recorded!.Where(o => o.Kind == OperationKind.Write && o.Offset >= FileLayout.HeaderPageBytes && o.Bytes.AsSpan().IndexOfAnyExcept((byte)0) < 0)];

    private NodeStore Simulated() => NodeStore.Open(_volume, Workload.Directory, Workload.NodeName, new StillTime());

    private NodeStore Open() => NodeStore.Open(_directory.Path, "node-1");
}
