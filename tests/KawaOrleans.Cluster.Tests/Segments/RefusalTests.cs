using KawaOrleans.Format;

namespace KawaOrleans.Cluster.Tests.Segments;

/// <summary>Each refusal names its limit, changes nothing, and is followed by a call that works.</summary>
public sealed class RefusalTests(RefusalTests.OneSilo silo) : IClassFixture<RefusalTests.OneSilo>
{
    private IClusterClient Client => silo.Cluster.Client;

    [Fact]
    public Task An_empty_batch() => Refused((log, grain) => grain.Append(new Block(default)).AsTask(), "at least one event");

    [Fact]
    public Task A_null_batch() => Refused((log, grain) => grain.Append(null!).AsTask(), "at least one event");

    [Fact]
    public Task A_batch_that_is_none() => Refused((log, grain) => grain.Append(new Block(new byte[100])).AsTask(), "Event 0");

    [Fact]
    public Task A_batch_with_a_flipped_length()
    {
        var bytes = PlainLog.Batch(3).Bytes.ToArray();
        bytes[FrameLayout.Length + 2] ^= 0x40;
        return Refused((log, grain) => grain.Append(new Block(bytes)).AsTask(), "does not fit");
    }

    [Fact]
    public Task A_batch_larger_than_a_message_may_be() =>
        Refused((log, grain) => grain.Append(new Block(new byte[Limits.MaxBatchBytes + 8])).AsTask(), $"{Limits.MaxBatchBytes}");

    [Fact]
    public Task An_event_larger_than_half_the_logs_segment_size() =>
        Refused((log, grain) => grain.Append(Block.Of(PlainLog.Batch(1, bytes: 33_000))).AsTask(), "at most 32768 bytes");

    [Theory]
    [InlineData(-1, 5, "0 <= from")]
    [InlineData(5, 4, "0 <= from")]
    [InlineData(0, long.MinValue, "0 <= from")]
    [InlineData(long.MinValue, long.MaxValue, "0 <= from")]
    public async Task A_range_that_is_none(long from, long to, string rule)
    {
        await Refused((log, grain) => grain.Read(new ReadRequest { From = from, To = to }).AsTask(), rule);
        await Refused((log, grain) => log.Directory.Plan(new RangeQuery { From = from, To = to }), rule);
        await Refused((log, grain) => log.Directory.Aggregate(new AggregationQuery { Name = "count", Range = new RangeQuery { From = from, To = to } }), rule);
        await Refused((log, grain) => grain.Aggregate(new AggregationQuery { Name = "count", Range = new RangeQuery { From = from, To = to } }).AsTask(), rule);
    }

    [Fact]
    public async Task A_position_beyond_everything_is_no_error_and_answers_nothing()
    {
        var (log, grain) = await NewLog();
        var result = await grain.Read(new ReadRequest { From = long.MaxValue - 1, To = long.MaxValue });
        Assert.Empty(result.Events.ToList());
        Assert.Empty((await log.Directory.Plan(new RangeQuery { From = long.MaxValue })).Slices);
    }

    [Fact]
    public async Task Reads_with_limits_out_of_bounds()
    {
        await Refused((log, grain) => grain.Read(new ReadRequest { From = 0, MaxEvents = 0 }).AsTask(), "at least 1");
        await Refused((log, grain) => grain.Read(new ReadRequest { From = 0, MaxBytes = 9 << 20 }).AsTask(), "8 MiB");
        await Refused((log, grain) => grain.Read(new ReadRequest { From = 0, Wait = TimeSpan.FromSeconds(3) }).AsTask(), "0 to 2 s");
        await Refused((log, grain) => grain.Read(new ReadRequest { From = 0, Wait = TimeSpan.FromSeconds(-1) }).AsTask(), "0 to 2 s");
        await Refused((log, grain) => grain.Read(null!).AsTask(), "null");
        await Refused((log, grain) => grain.ReadEach(null!).AsTask(), "1 to 1024");
        await Refused((log, grain) => grain.ReadEach([]).AsTask(), "1 to 1024");
        await Refused((log, grain) => grain.ReadEach(new long[1025]).AsTask(), "1 to 1024");
        await Refused((log, grain) => grain.ReadEach([1, 0]).AsTask(), "in order");
        await Refused((log, grain) => grain.ReadEach([-1]).AsTask(), "in order");
        await Refused((log, grain) => grain.ReadEach([0, long.MaxValue]).AsTask(), "in order");
        await Refused((log, grain) => grain.ReadEach([0], atLeast: -1).AsTask(), "AtLeast");
        await Refused((log, grain) => grain.Read(new ReadRequest { From = 0, Filter = new EventFilter { Types = [] } }).AsTask(), "1 to 1000");
    }

    [Fact]
    public async Task Aggregations_that_are_none()
    {
        await Refused((log, grain) => log.Directory.Aggregate(new AggregationQuery { Name = "median" }), "by-hour, by-stream-prefix, by-type, bytes, count");
        await Refused((log, grain) => log.Directory.Aggregate(new AggregationQuery { Name = "count", Argument = "x" }), "takes no argument");
        await Refused((log, grain) => log.Directory.Aggregate(new AggregationQuery { Name = "by-hour", Argument = "yesterday" }), "'recorded'");
        await Refused((log, grain) => log.Directory.Aggregate(new AggregationQuery { Name = "by-stream-prefix", Argument = "--" }), "one character");
        await Refused((log, grain) => log.Directory.Aggregate(new AggregationQuery { Name = "count", Range = new RangeQuery { Limit = 5 } }), "Limit");
        await Refused((log, grain) => log.Directory.Aggregate(null!), "null");
    }

    [Theory]
    [InlineData("")]
    [InlineData("Orders")]
    [InlineData("../etc")]
    [InlineData(".hidden")]
    [InlineData("a b")]
    [InlineData("größe")]
    public async Task A_bad_log_name(string name)
    {
        if (name.Length == 0)
        {
            return; // the framework itself refuses an empty key
        }

        await Refused((_, _) => Client.GetGrain<ISegmentDirectoryGrain>(name).Create(new LogOptions()), "no log name");
        await Refused((_, _) => Client.GetGrain<ISegmentDirectoryGrain>(name).OpenWriteSegment(null, 0), "no log name");
        await Refused((_, _) => Client.GetGrain<ISegmentDirectoryGrain>(name).GetChain(), "no log name");
    }

    [Fact]
    public async Task Options_that_cannot_be_had_or_that_the_log_does_not_have()
    {
        await Refused((_, _) => Client.GetGrain<ISegmentDirectoryGrain>("small").Create(new LogOptions { SegmentBytes = 1000 }), "64 KiB");
        await Refused((_, _) => Client.GetGrain<ISegmentDirectoryGrain>("three").Create(new LogOptions { Replicas = 3 }), "Replicas");
        await Refused((log, _) => log.Directory.Create(new LogOptions { SegmentBytes = 128 * 1024 }), "exists with other options");
        await Refused((log, _) => log.Directory.Create(null!), "null");
        Assert.DoesNotContain(await Client.GetGrain<IEventStoreGrain>(0).ListLogs(), log => log.Name is "small" or "three");
    }

    [Fact]
    public async Task An_unknown_log()
    {
        var unknown = Client.GetGrain<ISegmentDirectoryGrain>("never-made");
        var error = await Assert.ThrowsAsync<UnknownLogException>(() => unknown.GetChain());
        Assert.Equal("never-made", error.Log);
        await Assert.ThrowsAsync<UnknownLogException>(() => unknown.Plan(new RangeQuery()));
        await Assert.ThrowsAsync<UnknownLogException>(() => unknown.Describe());
        await Assert.ThrowsAsync<UnknownLogException>(() => unknown.Aggregate(new AggregationQuery { Name = "count" }));
        await Assert.ThrowsAsync<UnknownLogException>(() => unknown.Delete());
    }

    [Fact]
    public async Task A_deleted_log_is_unknown_its_files_are_set_aside_and_its_name_may_be_used_anew()
    {
        var (log, grain) = await NewLog("deleted");
        var path = (await grain.GetStats()).Path;
        var before = await log.Directory.GetChain();

        await log.Directory.Delete();

        await Assert.ThrowsAsync<UnknownLogException>(() => log.Directory.GetChain());
        Assert.IsNotType<Appended>(await grain.Append(Block.Of(PlainLog.Batch(1))));
        await Assert.ThrowsAsync<SegmentFaultedException>(async () => await grain.Read(new ReadRequest { From = 0 }));
        Assert.False(File.Exists(path));
        Assert.Contains(
            Directory.GetFiles(Path.Combine(KawaCluster.DataDirectory(silo.Cluster.Root, 0), "aside")),
            file => file.Contains(before.Segments[0].Id.ToString("N"), StringComparison.Ordinal));

        var again = new PlainLog(Client, "deleted");
        await again.Append(PlainLog.Batch(2, tag: "new"));
        Assert.NotEqual(before.LogId, (await again.Directory.GetChain()).LogId);
        Assert.Equal(["new/0", "new/1"], (await again.Read()).Select(PlainLog.TagOf));
    }

    private async Task<(PlainLog Log, ISegmentGrain Grain)> NewLog(string? name = null)
    {
        var log = await new PlainLog(Client, name ?? $"log-{Guid.NewGuid():N}").Create();
        await log.Append(PlainLog.Batch(1));
        return (log, log.Grain((await log.Directory.GetChain()).WriteSegment!));
    }

    private async Task Refused<T>(Func<PlainLog, ISegmentGrain, Task<T>> call, string rule)
    {
        var (log, grain) = await NewLog();
        var refusal = await Assert.ThrowsAsync<RequestRefusedException>(() => call(log, grain));
        Assert.Contains(rule, refusal.Message, StringComparison.Ordinal);
        Assert.False(refusal.IsRetryable);
        Assert.Equal(1, (await grain.GetStats()).Committed);
        Assert.Equal(1, Assert.IsType<Appended>(await grain.Append(Block.Of(PlainLog.Batch(1)))).First);
        Assert.Equal(2, (await log.Read()).Count);
    }

    public sealed class OneSilo : IAsyncLifetime
    {
        internal KawaCluster Cluster { get; private set; } = null!;

        public async Task InitializeAsync() => Cluster = await KawaCluster.Start(1);

        public Task DisposeAsync() => Cluster.DisposeAsync().AsTask();
    }
}
