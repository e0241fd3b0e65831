using System.Globalization;
using System.Text;

namespace KawaOrleans.Cluster.Tests.Queries;

/// <summary>One log over several segments on three nodes, held against the list of what was appended.</summary>
public sealed class RangeQueryTests(RangeQueryTests.Filled filled) : IClassFixture<RangeQueryTests.Filled>
{
    private static readonly string[] Types = ["placed", "paid", "shipped", "größer"];

    [Fact]
    public async Task The_whole_range_is_what_was_appended_in_order()
    {
        var events = await filled.Log.Read();
        Assert.Equal(filled.Appended.Select((e, i) => ((long)i, e.Id, e.Stream, e.Type)), events.Select(e => (e.Position, e.Id, e.Stream, e.Type)));
        Assert.All(events.Zip(filled.Appended), pair => Assert.True(pair.First.Data.Span.SequenceEqual(pair.Second.Data.Span)));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(17, 17)]
    [InlineData(100, 1500)]
    [InlineData(0, long.MaxValue)]
    [InlineData(2999, long.MaxValue)]
    [InlineData(3000, long.MaxValue)]
    [InlineData(5_000_000, long.MaxValue)]
    public async Task A_part_of_the_range_is_planned_without_holes_and_read_exactly(long from, long to)
    {
        var plan = await filled.Log.Directory.Plan(new RangeQuery { From = from, To = to });
        var next = plan.From;
        foreach (var slice in plan.Slices)
        {
            Assert.Equal(next, slice.From);
            Assert.True(slice.To > slice.From);
            next = slice.To;
        }

        Assert.Equal(plan.To, next);
        Assert.True(plan.To <= filled.Appended.Count);
        var events = await filled.Log.Read(new RangeQuery { From = from, To = to });
        var expected = filled.Appended.Skip((int)from).Take((int)Math.Min(to - from, int.MaxValue)).Select(e => e.Id);
        Assert.Equal(expected, events.Select(e => e.Id));
    }

    [Fact]
    public async Task Filters_find_exactly_what_a_look_at_every_event_finds()
    {
        var middle = filled.Appended[1500].Occurred!.Value;
        (EventFilter Filter, Func<EventData, bool> Same)[] cases =
        [
            (new EventFilter { Types = ["paid"] }, e => e.Type == "paid"),
            (new EventFilter { Types = ["größer", "placed"] }, e => e.Type is "größer" or "placed"),
            (new EventFilter { Types = [.. Enumerable.Range(0, 20).Select(i => $"none {i}"), "paid", "größer"] }, e => e.Type is "größer" or "paid"),
            (new EventFilter { Types = ["none such"] }, _ => false),
            (new EventFilter { StreamPrefix = "order-1" }, e => e.Stream.StartsWith("order-1", StringComparison.Ordinal)),
            (new EventFilter { StreamPrefix = "größe/" }, e => e.Stream.StartsWith("größe/", StringComparison.Ordinal)),
            (new EventFilter { Time = new TimeBounds(EventTime.Occurred, middle, null) }, e => e.Occurred >= middle),
            (new EventFilter { Time = new TimeBounds(EventTime.Occurred, null, middle) }, e => e.Occurred < middle),
            (new EventFilter { Time = new TimeBounds(EventTime.Recorded, DateTimeOffset.UnixEpoch, null) }, _ => true),
            (new EventFilter { Types = ["paid"], StreamPrefix = "order-", Time = new TimeBounds(EventTime.Occurred, middle, middle.AddHours(40)) },
                e => e.Type == "paid" && e.Stream.StartsWith("order-", StringComparison.Ordinal) && e.Occurred >= middle && e.Occurred < middle.AddHours(40)),
        ];
        foreach (var (filter, same) in cases)
        {
            var found = await filled.Log.Read(new RangeQuery { Filter = filter });
            Assert.Equal(filled.Appended.Where(same).Select(e => e.Id), found.Select(e => e.Id));
        }
    }

    [Fact]
    public async Task A_filtered_read_keeps_its_bounds_and_says_where_to_go_on()
    {
        var segment = (await filled.Log.Directory.GetChain()).Segments[0];
        var grain = filled.Log.Grain(segment);
        var expected = filled.Appended.Take((int)segment.End!.Value).Where(e => e.Type == "paid").Select(e => e.Id).ToList();
        var found = new List<Guid>();
        for (var next = segment.Base; next < segment.End;)
        {
            var result = await grain.Read(new ReadRequest { From = next, MaxEvents = 7, MaxBytes = 3000, Filter = new EventFilter { Types = ["paid"] } });
            var events = result.Events.ToList();
            Assert.InRange(events.Count, 0, 7);
            Assert.True(events.Count <= 1 || result.Events.Bytes.Bytes.Length <= 3000);
            Assert.True(result.Next > next);
            Assert.Equal(result.Next == segment.End, result.AtEndOfSegment);
            found.AddRange(events.Select(e => e.Id));
            next = result.Next;
        }

        Assert.Equal(expected, found);
    }

    [Fact]
    public async Task Aggregations_computed_beside_the_segments_equal_those_computed_here()
    {
        await Check("count", null, new RangeQuery(), _ => "total", _ => 1);
        await Check("by-type", null, new RangeQuery(), e => e.Type, _ => 1);
        await Check("by-type", null, new RangeQuery { From = 333, To = 2222 }, e => e.Type, _ => 1);
        await Check("by-stream-prefix", null, new RangeQuery(), e => e.Stream.Split('-')[0], _ => 1);
        await Check("by-stream-prefix", "/", new RangeQuery { Filter = new EventFilter { Types = ["paid"] } }, e => e.Stream.Split('/')[0], _ => 1);
        await Check("by-hour", "occurred", new RangeQuery(), e => e.Occurred!.Value.UtcDateTime.ToString("yyyy-MM-ddTHH", CultureInfo.InvariantCulture), _ => 1);
        await Check("data-bytes", null, new RangeQuery(), _ => "total", e => e.Data.Length);
        var bytes = await filled.Log.Directory.Aggregate(new AggregationQuery { Name = "bytes" });
        Assert.Equal(filled.StoredBytes, bytes.Values["total"]);
        var recorded = await filled.Log.Directory.Aggregate(new AggregationQuery { Name = "by-hour" });
        Assert.Equal(filled.Appended.Count, recorded.Values.Values.Sum());
    }

    [Fact]
    public async Task An_aggregation_over_nothing_is_empty()
    {
        var result = await filled.Log.Directory.Aggregate(new AggregationQuery { Name = "count", Range = new RangeQuery { From = 50, To = 50 } });
        Assert.Empty(result.Values);
        Assert.Equal(0, result.Events);
    }

    private async Task Check(string name, string? argument, RangeQuery range, Func<EventData, string> key, Func<EventData, long> value)
    {
        var result = await filled.Log.Directory.Aggregate(new AggregationQuery { Name = name, Argument = argument, Range = range });
        var expected = filled.Appended.Where((_, i) => i >= range.From && i < range.To)
            .Where(e => range.Filter?.Types is null || range.Filter.Types.Contains(e.Type)).ToList();
        Assert.Equal(expected.Count, result.Events);
        Assert.Equal(
            expected.GroupBy(key).Select(group => (group.Key, group.Sum(value))).OrderBy(pair => pair.Key, StringComparer.Ordinal),
            result.Values.Select(pair => (pair.Key, pair.Value)).OrderBy(pair => pair.Key, StringComparer.Ordinal));
        Assert.Equal((range.From, Math.Min(range.To, filled.Appended.Count)), (result.From, result.To));
    }

    /// <summary>A user's own aggregation.</summary>
    internal sealed class DataBytes : Server.IEventAggregation
    {
        public string Name => "data-bytes";

        public Server.EventFold Begin(string? argument, Server.AggregationValues values) =>
            (in EventFrame e) => values["total"u8] += e.Data.Length;
    }

    /// <summary>3,000 events, appended while the log's nodes change.</summary>
    public sealed class Filled : IAsyncLifetime
    {
        private KawaCluster _cluster = null!;

        internal PlainLog Log { get; private set; } = null!;

        internal List<EventData> Appended { get; } = [];

        internal long StoredBytes { get; private set; }

        public async Task InitializeAsync()
        {
            _cluster = await KawaCluster.Start(3, configure: silo => silo.AddKawaAggregation<DataBytes>());
            Log = await new PlainLog(_cluster.Client, "history").Create(128 * 1024);
            var random = new Random(7);
            var start = new DateTimeOffset(2031, 5, 1, 0, 0, 0, TimeSpan.Zero);
            while (Appended.Count < 3000)
            {
                var events = Enumerable.Range(Appended.Count, 20).Select(i => new EventData(
                    i % 11 == 0 ? $"größe/{i % 5}" : $"order-{i % 37}", Types[random.Next(Types.Length)],
                    Encoding.UTF8.GetBytes(new string('x', random.Next(0, 400))))
                {
                    Occurred = start.AddMinutes(i), Metadata = new byte[random.Next(0, 9)],
                }).ToList();
                var batch = EventBatch.Encode(events);
                await Log.Append(batch);
                StoredBytes += batch.Bytes.Length;
                Appended.AddRange(events);
            }
        }

        public Task DisposeAsync() => _cluster.DisposeAsync().AsTask();
    }
}
