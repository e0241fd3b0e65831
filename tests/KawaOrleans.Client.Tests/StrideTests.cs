
namespace KawaOrleans.Client.Tests;

public sealed class StrideTests
{
    private const int BlockBytes = 100_000;

    [Theory]
    [InlineData(200, 10_000, 1800)] // 50 bytes an event: a block's worth, with room for larger ones
    [InlineData(1, 60_000, 1)]
    [InlineData(1, 5_000_000, 1)] // larger than a block: one by one
    public void The_next_request_asks_for_about_one_block(long positions, int bytes, long next)
    {
        var stride = new Stride(filter: null, BlockBytes);

        stride.Learn(new ReadRequest { From = 1000, To = 1000 + positions }, Answer(1000 + positions, bytes, bytes));

        Assert.Equal(next, stride.Positions);
    }

    [Fact]
    public void A_request_that_was_cut_short_is_not_made_longer()
    {
        var stride = new Stride(filter: null, BlockBytes);

        stride.Learn(new ReadRequest { From = 0, To = 500 }, Answer(next: 3, bytes: 300, examined: 300));

        Assert.Equal(3, stride.Positions);
    }

    [Fact]
    public void With_a_filter_it_is_what_is_looked_at_that_counts_unless_much_is_found()
    {
        var filter = new EventFilter { Types = ["rare"] };
        var (rare, frequent) = (new Stride(filter, BlockBytes), new Stride(filter, BlockBytes));

        rare.Learn(new ReadRequest { From = 0, To = 10_000 }, Answer(next: 10_000, bytes: 100, examined: 1024 * 1024));
        frequent.Learn(new ReadRequest { From = 0, To = 10_000 }, Answer(next: 10_000, bytes: 500_000, examined: 1024 * 1024));

        Assert.Equal(144_000, rare.Positions);
        Assert.Equal(1800, frequent.Positions);
    }

    private static ReadResult Answer(long next, int bytes, long examined) => new()
    {
        Events = new FrameBlock
        {
            SegmentId = Guid.NewGuid(), Generation = 0, Epoch = 1, BasePosition = 0, Runs = [], Bytes = new Block(new byte[bytes]),
        },
        Next = next,
        Committed = long.MaxValue,
        AtEndOfSegment = false,
        ExaminedBytes = examined,
    };
}
