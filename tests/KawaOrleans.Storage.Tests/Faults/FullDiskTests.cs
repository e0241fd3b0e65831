using KawaOrleans.Storage.Tests.Tool;

namespace KawaOrleans.Storage.Tests.Faults;

/// <summary>A real disk that is really full: each request that needs room is refused with a typed error that says so, nothing is
/// left half done, what needs no room goes on, and when space is free again so does everything else.</summary>
public sealed class FullDiskTests
{
    private const int PageBytes = 4096;

    [SkippableFact]
    public async Task The_next_segment_and_its_spare_are_refused_and_leave_nothing_behind()
    {
        using var disk = new SmallDisk(kibibytes: 1024);
        using var store = NodeStore.Open(disk.Path, "node-1");
        var writer = store.Create(Sample.Header()).OpenWriter(Guid.NewGuid());

        // Room for a part of it: what was allocated is given back.
        disk.Fill(leftBytes: 16 * PageBytes);

        AssertFull(() => store.Create(Sample.Header(Guid.NewGuid(), fileBytes: 256 * 1024)));
        AssertFull(() => store.PrepareSpare(Sample.LogId, Guid.NewGuid(), 256 * 1024));
        Assert.Single(Directory.GetFiles(Path.Combine(disk.Path, "logs", Sample.LogId.ToString("N"))));
        await writer.AppendAsync(Sample.Event(0));
        disk.Free();

        store.PrepareSpare(Sample.LogId, Guid.NewGuid(), 256 * 1024);
        Assert.NotNull(store.Create(Sample.Header(Guid.NewGuid(), fileBytes: 256 * 1024)));
    }

    /// <summary>A write through a map into a page that the disk has no room for would end the process.</summary>
    [SkippableTheory]
    [InlineData(Durability.Durable)]
    [InlineData(Durability.Mapped)]
    public async Task Appends_go_on_to_the_last_byte_of_the_segment_and_after_the_roll(Durability durability)
    {
        using var disk = new SmallDisk(kibibytes: 1024);
        using var store = NodeStore.Open(disk.Path, "node-1");
        var segment = store.Create(Sample.Header(fileBytes: 256 * 1024));
        var writer = segment.OpenWriter(Guid.NewGuid(), durability);
        disk.Fill();
        var written = await FillAsync(writer, first: 0);
        Assert.True(segment.GetStats().UsedBytes > 255 * 1024);
        await writer.FlushAsync();
        var end = segment.Fence(savedChainVersion: 1).Position;
        var next = Sample.Header(Guid.NewGuid(), fileBytes: 256 * 1024, basePosition: end, epoch: 2);
        AssertFull(() => store.Create(next));
        segment.Seal(end);
        Assert.Equal(written, Sample.ReadAll(segment).Count);
        disk.Free();

        var second = store.Create(next);
        await second.OpenWriter(Guid.NewGuid(), durability).AppendAsync(Sample.Event(written));
        Assert.Equal(written, Sample.ReadAll(segment).Count);
        Sample.AssertIs(written, Assert.Single(Sample.ReadAll(second, end)));
    }

    /// <summary>The error of a footer that found no room had no type.</summary>
    [SkippableFact]
    public async Task A_footer_without_room_is_refused_and_the_segment_is_read_without_it()
    {
        using var disk = new SmallDisk(kibibytes: 1024);
        Directory.CreateDirectory(disk.Path);
        var path = Path.Combine(disk.Path, "a.seg");
        int written;
        using (var segment = Segment.Create(path, Sample.Header(fileBytes: 256 * 1024)))
        {
            written = await FillAsync(segment.OpenWriter(Guid.NewGuid()), first: 0);
            segment.Seal(segment.Fence(savedChainVersion: 1).Position);
            disk.Fill();

            AssertFull(() => _ = segment.WriteFooter());
            Assert.Equal(written, Sample.ReadAll(segment).Count);
            Assert.Equal(written, segment.Bounds!.Value.Events);
        }

        using (var again = Segment.Open(path))
        {
            Assert.Equal(written, Sample.ReadAll(again).Count);
        }

        var tool = await Invocation.RunAsync("rebuild-index", path);
        Assert.Equal(2, tool.Code);
        Assert.Contains("Free space on the volume", tool.Error, StringComparison.Ordinal);
        disk.Free();

        Assert.Equal(0, (await Invocation.RunAsync("rebuild-index", path)).Code);
        Assert.Equal(0, (await Invocation.RunAsync("verify", path)).Code);
    }

    [SkippableFact]
    public void A_chain_is_changed_in_place_and_one_that_outgrows_its_file_is_refused_and_the_older_one_stays()
    {
        using var disk = new SmallDisk(kibibytes: 256);
        using (var store = NodeStore.Open(disk.Path, "node-1"))
        {
            store.SaveChain(Chain(1));
            disk.Fill();
            Assert.Equal(2, store.SaveChain(Chain(2)));
            AssertFull(() => store.SaveChain(Chain(3, bytes: 10_000)));
            Assert.Equal(2, Assert.Single(store.Chains).Version);
        }

        using (var again = NodeStore.Open(disk.Path, "node-1"))
        {
            Assert.Equal(2, Assert.Single(again.Chains).Version);
            Assert.Empty(again.Untrusted);
            disk.Free();
            Assert.Equal(3, again.SaveChain(Chain(3, bytes: 10_000)));
        }

        using var last = NodeStore.Open(disk.Path, "node-1");
        Assert.Equal(3, Assert.Single(last.Chains).Version);

        static SavedChain Chain(long version, int bytes = 1) => new(Sample.LogId, "orders", version, new byte[bytes]);
    }

    [SkippableFact]
    public void A_node_that_cannot_write_who_it_is_does_not_start_and_does_not_join()
    {
        using var disk = new SmallDisk(kibibytes: 256);
        disk.Fill();
        AssertFull(() => NodeStore.Open(disk.Path, "node-1"));
        disk.Free();

        var cookie = Guid.NewGuid();
        using var store = NodeStore.Open(disk.Path, "node-1");
        disk.Fill();
        AssertFull(() => store.JoinCluster(cookie));
        Assert.Null(store.Identity.Cookie);
        disk.Free();
        store.JoinCluster(cookie);
        Assert.Equal(cookie, store.Identity.Cookie);
    }

    private static async Task<int> FillAsync(SegmentWriter writer, int first)
    {
        for (var number = first; ; number++)
        {
            try
            {
                await writer.AppendAsync(Sample.Event(number));
            }
            catch (SegmentFullException)
            {
                return number - first;
            }
        }
    }

    private static void AssertFull(Action request) =>
        Assert.Contains("Free space on the volume and repeat", Assert.Throws<DiskFullException>(request).Message, StringComparison.Ordinal);
}
