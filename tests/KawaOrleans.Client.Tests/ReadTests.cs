namespace KawaOrleans.Client.Tests;

[Collection(OnVirtualTime.Name)]
public sealed class ReadTests : IDisposable
{
    private readonly FakeStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task A_read_goes_through_all_segments_and_ends_where_the_log_does()
    {
        await _store.Fill(50);

        Assert.Equal(Enumerable.Range(7, 43).Select(i => $"{i}"), (await FakeStore.Drain(_store.Log.ReadAsync(7))).Events.Select(FakeStore.TagOf));
        Assert.Empty((await FakeStore.Drain(_store.Log.ReadAsync(50))).Events);
        Assert.Empty((await FakeStore.Drain(_store.Log.ReadAsync(5000))).Events);
    }

    [Fact]
    public async Task A_replica_that_was_not_told_of_its_segments_end_is_not_taken_for_the_end_of_the_log()
    {
        await _store.Fill(70);
        foreach (var segment in _store.Truth.Segments)
        {
            _store.Truth.Replica(segment.Id).KnowsItsEnd = false;
        }

        Assert.Equal(70, (await FakeStore.Drain(_store.Log.ReadAsync())).Events.Count);
        Assert.Equal("20", FakeStore.TagOf((await _store.Log.TryReadAsync(20))!));
        Assert.Null(await _store.Log.TryReadAsync(70));
    }

    [Fact]
    public async Task A_reader_with_an_old_chain_finds_what_was_appended_since()
    {
        await _store.Fill(5);
        await FakeStore.Drain(_store.Log.ReadAsync());
        var writer = new KawaOrleans.Client.EventStoreClient(_store.Cluster, new KawaClientOptions(), _store.Time).Log("orders");
        for (var i = 5; i < 70; i++)
        {
            await writer.AppendAsync(FakeStore.Event($"{i}"));
        }

        Assert.Equal("69", FakeStore.TagOf((await _store.Log.TryReadAsync(69))!));
        Assert.Equal(70, (await FakeStore.Drain(_store.Log.ReadAsync())).Events.Count);
    }

    [Fact]
    public async Task One_event_is_read_by_its_position_and_none_beyond_the_end()
    {
        await _store.Fill(50);

        Assert.Equal("23", FakeStore.TagOf((await _store.Log.TryReadAsync(23))!));
        Assert.Null(await _store.Log.TryReadAsync(50));
        Assert.Null(await _store.Log.TryReadAsync(long.MaxValue));
        _store.Truth.Seal();
        Assert.Null(await _store.Log.TryReadAsync(50));
        await Assert.ThrowsAsync<RequestRefusedException>(() => _store.Log.TryReadAsync(-1));
    }

    [Fact]
    public async Task A_follower_gets_what_is_appended_later_across_rolls_until_it_is_cancelled()
    {
        await _store.Fill(1);
        using var enough = new CancellationTokenSource();
        var seen = new List<string>();
        var following = Task.Run(async () =>
        {
            await foreach (var e in _store.Log.ReadAsync(follow: true, cancellation: enough.Token))
            {
                seen.Add(FakeStore.TagOf(e));
                if (seen.Count == 60)
                {
                    await enough.CancelAsync();
                }
            }
        });
        for (var i = 1; i < 60; i++)
        {
            await _store.Log.AppendAsync(FakeStore.Event($"{i}"));
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
        Assert.Equal(Enumerable.Range(0, 60).Select(i => $"{i}"), seen);
    }

    [Fact]
    public async Task A_sequence_does_not_go_on_in_another_log_that_took_over_the_name()
    {
        await _store.Fill(50);
        await using var reading = _store.Log.ReadAsync(follow: true).GetAsyncEnumerator();
        for (var i = 0; i < 50; i++)
        {
            Assert.True(await reading.MoveNextAsync());
        }

        lock (_store.Cluster.Gate)
        {
            _store.Truth.Recreate();
        }

        await Assert.ThrowsAsync<UnknownLogException>(async () => await reading.MoveNextAsync());
    }

    [Fact]
    public async Task A_damaged_event_ends_the_sequence_behind_the_last_one_before_it()
    {
        await _store.Fill(50);
        _store.Truth.Replica(_store.Truth.Segments.ElementAt(1).Id).Damage(31);

        foreach (var sequence in new[] { _store.Log.ReadAsync(), _store.Log.QueryAsync(new RangeQuery()) })
        {
            var (events, error) = await FakeStore.Drain(sequence);
            Assert.Equal(Enumerable.Range(0, 31).Select(i => (long)i), events.Select(e => e.Position));
            Assert.IsType<CorruptBlockException>(error);
        }
    }

    [Fact]
    public async Task A_log_that_is_not_there_is_said_to_be_unknown()
    {
        Assert.IsType<UnknownLogException>((await FakeStore.Drain(_store.Log.ReadAsync())).Error);
        Assert.IsType<UnknownLogException>((await FakeStore.Drain(_store.Log.QueryAsync(new RangeQuery()))).Error);
        await Assert.ThrowsAsync<UnknownLogException>(() => _store.Log.TryReadAsync(0));
    }

    [Theory]
    [InlineData(0, 100, long.MaxValue)]
    [InlineData(0, 100, 7)]
    [InlineData(13, 88, 40)]
    [InlineData(19, 21, 100)]
    [InlineData(40, 40, 100)]
    [InlineData(0, 100, 0)]
    [InlineData(99, 5000, 100)]
    [InlineData(200, 5000, 100)]
    public async Task A_range_query_answers_in_position_order_within_range_and_limit(long from, long to, long limit)
    {
        await _store.Fill(100);

        var (events, error) = await FakeStore.Drain(_store.Log.QueryAsync(new RangeQuery { From = from, To = to, Limit = limit }));

        Assert.Null(error);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (long)i).Where(i => i >= from && i < to).Take((int)Math.Min(limit, 1000)), events.Select(e => e.Position));
    }

    [Theory]
    [InlineData(-1, 10, 1)]
    [InlineData(10, 9, 1)]
    [InlineData(0, 10, -1)]
    public async Task A_range_or_limit_that_makes_no_sense_is_refused(long from, long to, long limit)
    {
        await _store.Fill(1);
        Assert.IsType<RequestRefusedException>((await FakeStore.Drain(_store.Log.QueryAsync(new RangeQuery { From = from, To = to, Limit = limit }))).Error);
    }

    [Fact]
    public async Task A_slice_that_moved_after_it_was_planned_is_planned_again()
    {
        await _store.Fill(100);
        var moved = false;
        _store.Cluster.Mishaps = call =>
        {
            lock (_store.Cluster.Gate)
            {
                if (call == "Read" && !moved)
                {
                    moved = true;
                    _store.Truth.Move(2, "node-7");
                    _store.Truth.Move(3, "node-8");
                }
            }

            return Mishap.None;
        };

        var (events, error) = await FakeStore.Drain(_store.Log.QueryAsync(new RangeQuery()));

        Assert.Null(error);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (long)i), events.Select(e => e.Position));
    }

    [Fact]
    public async Task An_unavailable_slice_ends_the_sequence_behind_the_last_event_before_it_with_its_error()
    {
        await _store.Fill(100);
        var last = _store.Truth.Segments.ElementAt(3);
        _store.Truth.Move(3, "node-down");
        var store = new Unreachable(_store.Cluster, "node-down");
        var log = new KawaOrleans.Client.EventStoreClient(store, new KawaClientOptions(), _store.Time).Log("orders");
        var before = _store.Time.GetTimestamp();

        var (events, error) = await FakeStore.Drain(log.QueryAsync(new RangeQuery()));

        Assert.Equal(Enumerable.Range(0, (int)last.Base).Select(i => (long)i), events.Select(e => e.Position));
        Assert.Equal("node-down", Assert.IsType<NodeUnavailableException>(error).Node);
        Assert.InRange(_store.Time.GetElapsedTime(before).TotalSeconds, 0, 2);

        (events, error) = await FakeStore.Drain(log.ReadAsync());
        Assert.Equal(last.Base, events.Count);
        Assert.IsType<NodeUnavailableException>(error);
    }

    [Fact]
    public async Task A_silent_node_is_a_typed_error_within_two_seconds()
    {
        await _store.Fill(1);
        _store.Cluster.Mishaps = static call => call is "Read" or "GetStats" ? Mishap.RequestLost : Mishap.None;
        var before = _store.Time.GetTimestamp();

        await Assert.ThrowsAsync<NodeUnavailableException>(() => _store.Log.TryReadAsync(0));

        Assert.InRange(_store.Time.GetElapsedTime(before).TotalSeconds, 0, 2);
    }

    [Fact]
    public async Task A_query_whose_directory_and_node_died_together_ends_within_two_seconds()
    {
        await _store.Fill(50);
        var died = _store.Time.GetTimestamp();
        var untilDirectoryIsElsewhere = TimeSpan.FromSeconds(1.1);
        _store.Cluster.Holds = async (call, cancellation) =>
        {
            var left = untilDirectoryIsElsewhere - _store.Time.GetElapsedTime(died);
            if (call is "Plan" or "GetChain" && left > TimeSpan.Zero)
            {
                await Task.Delay(left, _store.Time, cancellation);
                throw new Orleans.Runtime.SiloUnavailableException("the silo was declared dead");
            }
        };
        _store.Cluster.Mishaps = static call => call is "Read" or "GetStats" ? Mishap.RequestLost : Mishap.None;

        var (events, error) = await FakeStore.Drain(_store.Log.QueryAsync(new RangeQuery()));

        Assert.Empty(events);
        Assert.IsType<NodeUnavailableException>(error);
        Assert.InRange(_store.Time.GetElapsedTime(died).TotalSeconds, 1.1, 2);
    }

    [Fact]
    public async Task A_point_read_whose_node_is_refused_first_and_silent_then_ends_within_two_seconds()
    {
        await _store.Fill(1);
        var began = _store.Time.GetTimestamp();
        _store.Cluster.Mishaps = call => call switch
        {
            "Read" when _store.Time.GetElapsedTime(began) < TimeSpan.FromSeconds(0.8) => Mishap.NodeDown,
            "Read" or "GetStats" => Mishap.RequestLost,
            _ => Mishap.None,
        };

        await Assert.ThrowsAsync<NodeUnavailableException>(() => _store.Log.TryReadAsync(0));

        Assert.InRange(_store.Time.GetElapsedTime(began).TotalSeconds, 0.8, 2);
    }

    [Fact]
    public async Task A_query_reads_only_a_bounded_stretch_ahead_of_its_caller()
    {
        await _store.Fill(200);
        var reads = 0;
        _store.Cluster.Mishaps = call =>
        {
            _ = call == "Read" && Interlocked.Increment(ref reads) > 0;
            return Mishap.None;
        };
        await using (var query = _store.Log.QueryAsync(new RangeQuery()).GetAsyncEnumerator())
        {
            Assert.True(await query.MoveNextAsync());
        }

        Assert.Equal(1 + new KawaClientOptions().BlocksAhead, reads);
    }

    [Fact]
    public async Task A_small_limit_reads_no_slice_that_cannot_be_needed()
    {
        await _store.Fill(200);
        var reads = 0;
        _store.Cluster.Mishaps = call =>
        {
            _ = call == "Read" && Interlocked.Increment(ref reads) > 0;
            return Mishap.None;
        };

        Assert.Equal(3, (await FakeStore.Drain(_store.Log.QueryAsync(new RangeQuery { Limit = 3 }))).Events.Count);

        Assert.Equal(1, reads);
    }

    /// <summary>Nobody lives at one node.</summary>
    private sealed class Unreachable(FakeCluster cluster, string node) : KawaOrleans.Client.IGrains
    {
        public IEventStoreGrain EventStore => cluster.EventStore;

        public ISegmentDirectoryGrain Directory(string log) => cluster.Directory(log);

        public ISegmentDirectoryGrain DirectoryNearby(string log, int turn) => cluster.DirectoryNearby(log, turn);

        public ISegmentGrain Segment(Guid segmentId, string at) => at == node ? new Nobody(at) : cluster.Segment(segmentId, at);
    }

    private sealed class Nobody(string node) : ISegmentGrain
    {
        public ValueTask<AppendResult> Append(AppendRequest request, CancellationToken cancellation = default) => throw new NodeUnavailableException(node);

        public ValueTask<ReadResult> Read(ReadRequest request, CancellationToken cancellation = default) => throw new NodeUnavailableException(node);

        public ValueTask<ReadResult> ReadEach(long[] positions, long atLeast = 0, CancellationToken cancellation = default) => throw new NodeUnavailableException(node);

        public ValueTask<StreamReadResult> ReadStream(StreamReadRequest request, CancellationToken cancellation = default) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<StreamStanding?>> FindStreams(IReadOnlyList<string> streams, long atLeast = 0, CancellationToken cancellation = default) => throw new NotSupportedException();

        public ValueTask<StreamListResult> ListStreams(StreamListRequest request, CancellationToken cancellation = default) => throw new NotSupportedException();

        public ValueTask Doubt() => ValueTask.CompletedTask;

        public ValueTask Flush(CancellationToken cancellation = default) => throw new NodeUnavailableException(node);

        public ValueTask<SegmentStats> GetStats(CancellationToken cancellation = default) => throw new NodeUnavailableException(node);

        public ValueTask<AggregationResult> Aggregate(AggregationQuery query, CancellationToken cancellation = default) => throw new NodeUnavailableException(node);
    }
}
