using System.Runtime.CompilerServices;

namespace KawaOrleans.Storage.Tests.Segments;

/// <summary>What a segment that has ended keeps in memory. The index of each segment a process had written stayed for as long as the process
/// lived: 90 bytes for every event that was its stream's first there, in a log that took ten million of them a gibibyte.</summary>
[Collection(Alone.Name)]
public sealed class SealedMemoryTests : IDisposable
{
    private const int Events = 30_000;
    private const int BatchEvents = 1000;

    private static readonly Guid Opening = new("40000000-0000-0000-0000-000000000001");
    private static readonly SegmentHeader Header = Sample.Header(fileBytes: 8 << 20);

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(Durability.Durable)]
    [InlineData(Durability.Mapped)]
    public async Task A_segment_whose_footer_serves_keeps_no_index_in_memory_though_its_writer_is_kept(Durability durability)
    {
        using var segment = Segment.Create(_directory.File("a.seg"), Header);
        var before = Used();
        var writer = segment.OpenWriter(Opening, durability);
        await Fill(writer);
        AssertForgets(segment, before);
        GC.KeepAlive(writer);
    }

    [Fact]
    public async Task Nor_does_one_that_followed_another()
    {
        using var primary = Segment.Create(_directory.File("a.seg"), Header);
        using var follower = Segment.Create(
            _directory.File("b.seg"), Header with { Ensemble = [Sample.NodeId, new("20000000-0000-0000-0000-000000000002")], AckQuorum = 2 });
        await Fill(primary.OpenWriter(Opening));
        var before = Used();
        Follow(primary, follower);
        AssertForgets(follower, before);
    }

    /// <summary>Not inlined: the handle is not to be kept here, whatever the compiler does with it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Follow(Segment primary, Segment follower)
    {
        while (follower.Tail is var tail && tail.Position < primary.Tail.Position)
        {
            follower.OpenReplica().Follow(Opening, tail.Position, tail.Offset, primary.ReadGroups(tail.Offset, 1 << 20));
        }
    }

    private static async Task Fill(SegmentWriter writer)
    {
        for (var first = 0; first < Events; first += BatchEvents)
        {
            await writer.AppendAsync(EventBatch.Encode([.. Enumerable.Range(first, BatchEvents).Select(static n => new EventData($"order-{n:00000000}", "placed", new byte[10]))]));
        }
    }

    private static void AssertForgets(Segment segment, long before)
    {
        Assert.InRange(Used() - before, 80 * Events, long.MaxValue);
        segment.Seal(segment.Fence(1).Position);
        segment.WriteFooter();
        Assert.InRange(Used() - before, long.MinValue, 20 * Events);
        Assert.Equal(Events, segment.SealedStreams().Count);
    }

    /// <summary>After pools let go what nobody wanted between two collections, or that would be counted too.</summary>
    private static long Used()
    {
        for (var round = 0; round < 3; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
