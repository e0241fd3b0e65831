using KawaOrleans.Server.Protocol;
using static KawaOrleans.Cluster.Tests.Protocol.ChainExamples;

namespace KawaOrleans.Cluster.Tests.Protocol;

public class SegmentSizingTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public void The_first_segment_is_4_MiB_and_each_next_one_doubles_up_to_the_configured_size()
    {
        var chain = New(256 * MiB);
        var sizes = new List<long>();
        for (var i = 1; i <= 9; i++)
        {
            sizes.Add(SegmentSizing.Next(chain, 0));
            chain = chain with { Segments = [.. chain.Segments, Segment(i, 0, null, i) with { FileBytes = sizes[^1] }] };
        }

        Assert.Equal([4 * MiB, 8 * MiB, 16 * MiB, 32 * MiB, 64 * MiB, 128 * MiB, 256 * MiB, 256 * MiB, 256 * MiB], sizes);
    }

    [Fact]
    public void A_log_configured_smaller_begins_with_the_configured_size()
    {
        Assert.Equal(64 * 1024, SegmentSizing.Next(New(64 * 1024), 0));
        Assert.Equal(MiB, SegmentSizing.Next(New(MiB), 0));
    }

    [Theory]
    [InlineData(64 * 1024, 64 * 1024, 77824)]
    [InlineData(64 * 1024, 8 * 1024 * 1024, 8400896)]
    [InlineData(256L * 1024 * 1024, 5 * 1024 * 1024, 5255168)]
    public void A_batch_larger_than_the_file_makes_it_larger(long configured, int batchBytes, long expected)
    {
        var bytes = SegmentSizing.Next(New(configured), batchBytes);
        Assert.Equal(expected, bytes);
        Assert.True(bytes >= batchBytes + 8192 + 1024);
    }

    [Fact]
    public void Every_size_is_a_multiple_of_4_KiB() =>
        Assert.All(Enumerable.Range(0, 5000).Select(i => i * 1677), batch => Assert.Equal(0, SegmentSizing.Next(New(65_537 + batch), batch) % 4096));

    [Fact]
    public void A_file_made_larger_for_one_batch_does_not_make_the_next_one_larger()
    {
        var chain = New(64 * 1024);
        chain = chain with { Segments = [Segment(1, 0, null, 1) with { FileBytes = SegmentSizing.Next(chain, 1 << 20) }] };
        Assert.Equal(64 * 1024, SegmentSizing.Next(chain, 0));
    }

    private static Chain New(long segmentBytes) => ChainRules.New(Id(99), "orders", new LogOptions { SegmentBytes = segmentBytes });
}
