using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Segments;

/// <summary>A fence that came between a group's sync and its acknowledgement once made the writer tell "nothing written" of
/// batches that were on disk; their writers repeated them in the next segment, and the log had them twice.</summary>
public sealed class FenceRaceTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_fence_amid_appends_leaves_exactly_the_acknowledged_batches()
    {
        for (var round = 0; round < 40; round++)
        {
            using var segment = Segment.Create(_directory.File($"{round}.seg"), Sample.Header());
            var writer = segment.OpenWriter(Guid.NewGuid());
            var acknowledged = 0;
            var appending = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
            {
                try
                {
                    while (true)
                    {
                        await writer.AppendAsync(Sample.Batch(0, 1));
                        Interlocked.Increment(ref acknowledged);
                    }
                }
                catch (StorageException e) when (e is WriterFencedException or SegmentFullException)
                {
                    return;
                }
            })).ToArray();
            while (segment.Tail.Position < round)
            {
                await Task.Yield();
            }

            var tail = segment.Fence(1);
            await Task.WhenAll(appending);

            Assert.Equal(tail.Position, acknowledged);
        }
    }

    /// <summary>Whoever was refused while the fence was on its way to the disk looked for another writer, and warned of one.</summary>
    [Fact]
    public async Task Who_is_refused_by_a_fence_that_is_not_on_disk_yet_is_told_that_it_was_one()
    {
        var volume = new SimulatedVolume();
        using var segment = SegmentLoader.Create(new SegmentHost(volume, new MapCache(), new StillTime(), null), "/a.seg", Sample.Header());
        var writer = segment.OpenWriter(Guid.NewGuid());
        Exception? refused = null;
        volume.Fault = o =>
        {
            if (o.Kind == OperationKind.Sync)
            {
                Assert.Equal(SegmentState.Open, segment.State);
                refused = Record.Exception(() => writer.AppendAsync(Sample.Batch(0, 1)).AsTask().GetAwaiter().GetResult());
            }
        };

        segment.Fence(1);

        Assert.True(Assert.IsType<WriterFencedException>(refused).IsByFence);
        using var taken = Segment.Create(_directory.File("taken.seg"), Sample.Header());
        var first = taken.OpenWriter(Guid.NewGuid());
        taken.OpenWriter(Guid.NewGuid());
        Assert.False((await Assert.ThrowsAsync<WriterFencedException>(() => first.AppendAsync(Sample.Batch(0, 1)).AsTask())).IsByFence);
    }
}
