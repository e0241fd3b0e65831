using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Nodes;

/// <summary>What a node does with its sealed segments in the background.</summary>
public sealed class FinishingTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>The footer of a segment rests on the heads before it. Damage met there was told of the segment that was being finished: a good
    /// replica would have been replaced by a copy, and one without copies called damaged.</summary>
    [Fact]
    public async Task Damage_of_one_segment_is_not_told_of_the_one_behind_it()
    {
        var (first, second) = (Sample.Header(), Sample.Header(Guid.NewGuid(), basePosition: 3, epoch: 2) with { Predecessor = Sample.Header().Identity.Id });
        var tails = new Dictionary<string, long>();
        using (var store = Open())
        {
            foreach (var header in new[] { first, second })
            {
                var segment = store.Create(header);
                await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Batch((int)header.BasePosition, 3));
                segment.Fence(header.Identity.Epoch + 1);
                segment.Seal(segment.Tail.Position);
                tails.Add(segment.Path, segment.Tail.Offset);
            }
        }

        // No footers, no heads: the next start makes them from the frames.
        foreach (var (path, tail) in tails)
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.Write(file, new byte[RandomAccess.GetLength(file) - tail], tail);
        }

        foreach (var heads in Directory.GetFiles(_directory.Path, "heads-*", SearchOption.AllDirectories))
        {
            File.Delete(heads);
        }

        var damaged = tails.Keys.First();
        using (var file = File.OpenHandle(damaged, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.Write(file, "x"u8, FileLayout.FirstFrame + 60);
        }

        using var again = Open();
        Assert.True(SpinWait.SpinUntil(() => !again.IsFinishing, TimeSpan.FromSeconds(30)));
        Assert.Equal(damaged, Assert.Single(again.Untrusted).Path);
        Assert.Equal(3, Sample.ReadAll(again.Segments.Single(segment => segment.Header.Identity.Id == second.Identity.Id)).Count);
    }

    /// <summary>A footer that could not be written was tried again by the next start only, and its segment, which is read whole for it, not at all.</summary>
    [Fact]
    public async Task A_footer_that_could_not_be_written_is_tried_again_when_its_segment_is_to_be_verified()
    {
        var volume = new SimulatedVolume();
        using var store = NodeStore.Open(volume, "/kawa", "node-1", TimeProvider.System);
        var segment = store.Create(Sample.Header());
        await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Batch(0, 3));
        segment.Fence(2);
        var end = segment.Tail.Offset;
        volume.Fault = operation => _ = operation.Kind == OperationKind.Write && operation.Offset >= end ? throw new IOException("no room") : 0;
        segment.Seal(3);
        Assert.True(SpinWait.SpinUntil(() => !store.IsFinishing, TimeSpan.FromSeconds(30)));
        Assert.False(store.TryVerify(segment, out _));
        volume.Fault = null;

        Assert.True(SpinWait.SpinUntil(() => store.TryVerify(segment, out _), TimeSpan.FromSeconds(30)));
        Assert.True(segment.IsServedByFooter);
    }

    private NodeStore Open() => NodeStore.Open(_directory.Path, "node-1");
}
