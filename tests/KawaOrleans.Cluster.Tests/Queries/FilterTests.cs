using KawaOrleans.Server;
using KawaOrleans.Server.Queries;

namespace KawaOrleans.Cluster.Tests.Queries;

public sealed class FilterTests
{
    [Fact]
    public void A_filter_without_conditions_is_none()
    {
        Assert.Null(PreparedFilter.For(null));
        Assert.Null(PreparedFilter.For(new EventFilter()));
        Assert.Null(PreparedFilter.For(new EventFilter { StreamPrefix = "" }));
    }

    [Theory]
    [InlineData("types", "1 to 1000")]
    [InlineData("type", "at least one character")]
    [InlineData("prefix", "control characters")]
    [InlineData("time", "reversed")]
    public void A_filter_that_no_event_can_be_held_against_is_refused_with_the_rule(string what, string rule)
    {
        var filter = what switch
        {
            "types" => new EventFilter { Types = [] },
            "type" => new EventFilter { Types = ["placed", ""] },
            "prefix" => new EventFilter { StreamPrefix = "a\nb" },
            _ => new EventFilter { Time = new TimeBounds(EventTime.Recorded, DateTimeOffset.UnixEpoch.AddDays(1), DateTimeOffset.UnixEpoch) },
        };
        Assert.Contains(rule, Assert.Throws<RequestRefusedException>(() => PreparedFilter.For(filter)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_of_too_many_keys_is_refused_and_names_the_limit()
    {
        var values = new AggregationValues("by-id");
        for (var i = 0; i < AggregationValues.MaxKeys; i++)
        {
            values[BitConverter.GetBytes(i)]++;
        }

        values[BitConverter.GetBytes(5)]++;
        var refusal = Assert.Throws<RequestRefusedException>(() => values[BitConverter.GetBytes(-1)]++);
        Assert.Contains("100000", refusal.Message, StringComparison.Ordinal);
    }
}
