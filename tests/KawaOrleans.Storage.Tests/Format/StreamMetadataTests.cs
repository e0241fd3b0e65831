namespace KawaOrleans.Storage.Tests.Format;

/// <summary>What metadata say, byte by byte, and what they show of a stream.</summary>
public sealed class StreamMetadataTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Metadata_are_read_as_they_were_written()
    {
        foreach (var metadata in new[]
        {
            StreamMetadata.None,
            new StreamMetadata { TruncateBefore = 7, MaxCount = 1, MaxAge = TimeSpan.FromTicks(1), Custom = "mine"u8.ToArray() },
            new StreamMetadata { TruncateBefore = long.MaxValue, MaxCount = long.MaxValue, MaxAge = TimeSpan.MaxValue },
        })
        {
            var e = metadata.ToEvent("s");
            Assert.Equal(("$meta/s", "$metadata"), (e.Stream, e.Type));
            Assert.Equal(metadata, StreamMetadata.Decode(e.Data.Span, e.Metadata));
        }

        Assert.NotEqual(new StreamMetadata { Custom = "a"u8.ToArray() }, new StreamMetadata { Custom = "b"u8.ToArray() });
    }

    [Fact]
    public void The_bytes_are_those_of_the_format() => Assert.Equal(
        Convert.FromHexString("01000000" + "0500000000000000" + "0300000000000000" + "00A0724E18090000"),
        new StreamMetadata { TruncateBefore = 5, MaxCount = 3, MaxAge = TimeSpan.FromTicks(10_000_000_000_000) }.ToEvent("s").Data.ToArray());

    [Fact]
    public void Other_lengths_and_later_versions_are_not_read()
    {
        var data = StreamMetadata.None.ToEvent("s").Data.ToArray();
        for (var length = 0; length < data.Length; length++)
        {
            Assert.Null(StreamMetadata.Decode(data.AsSpan(0, length), default));
        }

        Assert.Null(StreamMetadata.Decode([.. data, 0], default));
        data[0] = 2;
        Assert.Null(StreamMetadata.Decode(data, default));
    }

    [Fact]
    public void What_no_stream_can_have_is_told_with_the_limit()
    {
        Assert.Null(StreamMetadata.None.WhyNot());
        Assert.Null(new StreamMetadata { TruncateBefore = 0, MaxCount = 1, MaxAge = TimeSpan.FromTicks(1) }.WhyNot());
        Assert.Contains("0 or more, not -1", new StreamMetadata { TruncateBefore = -1 }.WhyNot()!, StringComparison.Ordinal);
        Assert.Contains("at least 1, not 0", new StreamMetadata { MaxCount = 0 }.WhyNot()!, StringComparison.Ordinal);
        Assert.Contains("more than nothing", new StreamMetadata { MaxAge = TimeSpan.Zero }.WhyNot()!, StringComparison.Ordinal);
        Assert.Contains("more than nothing", new StreamMetadata { MaxAge = TimeSpan.FromTicks(-1) }.WhyNot()!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, null, 0)]
    [InlineData(4, null, 4)]
    [InlineData(0, 3L, 7)]
    [InlineData(8, 3L, 8)]
    [InlineData(2, 3L, 7)]
    [InlineData(0, 100L, 0)]
    [InlineData(100, null, 100)]
    public void The_newest_events_are_shown_from_the_later_of_two_bounds(long truncateBefore, long? maxCount, long first)
    {
        var shown = Shown(new StreamMetadata { TruncateBefore = truncateBefore, MaxCount = maxCount });
        Assert.Equal(Enumerable.Range(0, 10).Select(r => r >= first), Enumerable.Range(0, 10).Select(r => shown.Shows(r, recordedTicks: 0)));
    }

    [Fact]
    public void An_event_is_shown_while_it_is_younger_than_the_greatest_age()
    {
        var shown = Shown(new StreamMetadata { MaxAge = TimeSpan.FromHours(1) });
        Assert.True(shown.Shows(0, Now.AddHours(-1).UtcTicks + 1));
        Assert.False(shown.Shows(0, Now.AddHours(-1).UtcTicks));
        Assert.True(Shown(new StreamMetadata { MaxAge = TimeSpan.MaxValue }).Shows(0, 0));
    }

    [Theory]
    [InlineData(StreamState.Deleted)]
    [InlineData(StreamState.Tombstoned)]
    public void Of_a_stream_that_is_deleted_or_has_ended_nothing_is_shown(StreamState state)
    {
        var shown = StreamVisibility.Of(StreamMetadata.None, state, lastRevision: 9, Now);
        Assert.False(shown.Shows(9, long.MaxValue));
        Assert.Equal(10, shown.FirstRevision);
    }

    private static StreamVisibility Shown(StreamMetadata metadata) => StreamVisibility.Of(metadata, StreamState.Live, lastRevision: 9, Now);
}
