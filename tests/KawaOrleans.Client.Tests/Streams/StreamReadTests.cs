namespace KawaOrleans.Client.Tests.Streams;

/// <summary>How a client reads a stream that lies in several segments, and what it accepts as an answer.</summary>
public sealed class StreamReadTests : IAsyncLifetime, IDisposable
{
    private const int Events = 30;

    private readonly EngineLog _engine = new();

    private ILog Log => _engine.Log;

    /// <summary>A stream in three of five segments, several pages in each.</summary>
    public async Task InitializeAsync()
    {
        for (var segment = 0; segment < 5; segment++)
        {
            var stream = segment % 2 == 0 ? "s" : "other";
            for (var n = 0; n < 10; n++)
            {
                await Log.AppendAsync([Event(stream), Event($"beside-{segment}-{n % 3}")]);
            }

            if (segment < 4)
            {
                _engine.Roll();
            }
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _engine.Dispose();

    [Fact]
    public async Task A_stream_is_read_from_every_revision_both_ways()
    {
        var stream = Log.Stream("s");

        Assert.Equal(Up(0), await Revisions(stream.ReadAsync()));
        Assert.Equal(Up(0).Reverse(), await Revisions(stream.ReadAsync(ReadDirection.Backward)));
        for (var from = 0L; from <= Events + 1; from++)
        {
            Assert.Equal(Up(from), await Revisions(stream.ReadAsync(from: from)));
            Assert.Equal(Up(0).TakeWhile(revision => revision <= from).Reverse(), await Revisions(stream.ReadAsync(ReadDirection.Backward, from)));
        }

        Assert.Equal(Events - 1, (await stream.TryReadLastAsync())!.Revision);
        var description = (await stream.DescribeAsync())!;
        Assert.Equal((Events, 0L, Events - 1L), (description.Count, description.FirstRevision, description.LastRevision));
    }

    [Fact]
    public async Task A_client_with_an_old_chain_reads_what_came_since()
    {
        var old = _engine.NewClient();
        Assert.Equal(Up(0), await Revisions(old.Stream("s").ReadAsync()));
        _engine.Roll();
        await Log.AppendAsync(Event("s"));

        Assert.Equal(Up(0).Append(Events), await Revisions(old.Stream("s").ReadAsync()));
        Assert.Equal(Events, (await old.Stream("s").TryReadLastAsync())!.Revision);
    }

    /// <summary>A replica that knows less of the log would show fewer events than were seen before.</summary>
    [Fact]
    public async Task What_a_read_has_seen_every_replica_must_know_that_is_asked_next()
    {
        using var engine = new EngineLog(nodes: 3);
        await engine.Log.AppendAsync([Event("s"), Event("s"), Event("s")]);
        var asked = new List<long>();
        engine.Tampering.Asked = request =>
        {
            asked.Add(request.AtLeast);
            return request;
        };
        var client = engine.NewClient();

        Assert.Equal([0L, 1, 2], await Revisions(client.Stream("s").ReadAsync()));
        Assert.Equal(0, asked[0]);
        asked.Clear();
        Assert.Equal(2, (await client.Stream("s").TryReadLastAsync())!.Revision);
        Assert.All(asked, static atLeast => Assert.Equal(3, atLeast));
    }

    [Fact]
    public async Task Streams_are_listed_each_once_whatever_the_pages()
    {
        // In as many answers as there are names, and one.
        foreach (var most in new[] { 1, 2, 1000 })
        {
            _engine.Tampering.ListAsked = request => request with { MaxNames = most };

            Assert.Equal(
                Enumerable.Range(0, 5).SelectMany(static segment => Enumerable.Range(0, 3).Select(n => $"beside-{segment}-{n}")).Append("s").Append("other").Order(StringComparer.Ordinal),
                (await Log.ListStreamsAsync().ToListAsync()).Order(StringComparer.Ordinal));
            Assert.Equal(["beside-3-0", "beside-3-1", "beside-3-2"], await Log.ListStreamsAsync("beside-3-").ToListAsync());
        }
    }

    [Fact]
    public async Task A_list_that_gets_no_further_is_no_answer()
    {
        var answers = 0;
        _engine.Tampering.Listed = (request, answer) => answers++ < 10 ? answer with { Next = request.From } : answer;

        await Assert.ThrowsAsync<SegmentFaultedException>(async () => await Log.ListStreamsAsync().ToListAsync());
    }

    [Fact]
    public async Task Standings_of_fewer_streams_than_were_asked_about_are_no_answer()
    {
        _engine.Tampering.Found = static found => [.. found.Take(1)];

        await Assert.ThrowsAsync<SegmentFaultedException>(async () => await Log.ListStreamsAsync().ToListAsync());
    }

    [Theory]
    [InlineData("events of another stream")]
    [InlineData("a block of another segment")]
    [InlineData("an event before the segment that lies behind it")]
    [InlineData("nothing, though it holds some")]
    public async Task A_wrong_answer_ends_the_read(string what)
    {
        foreach (var direction in new[] { ReadDirection.Forward, ReadDirection.Backward })
        {
            _engine.Tampering.Answered = (request, answer) => what switch
            {
                "events of another stream" => answer.Events.Runs.Length > 0 ? answer with { Events = Beside(answer.Events.SegmentId, request) } : answer,
                "a block of another segment" => answer with { Events = With(answer.Events, Guid.NewGuid()) },
                "an event before the segment that lies behind it" => answer.Before >= 0 ? answer with { Before = 95 } : answer,
                _ => answer with { Events = With(answer.Events, answer.Events.SegmentId, empty: true) },
            };

            await Assert.ThrowsAsync<SegmentFaultedException>(() => Revisions(Log.Stream("s").ReadAsync(direction)));
        }
    }

    /// <summary>From the second page on, so that there is one before it to be held against.</summary>
    [Theory]
    [InlineData(ReadDirection.Forward, 1)]
    [InlineData(ReadDirection.Backward, -1)]
    public async Task A_page_that_leaves_a_revision_out_ends_the_read_behind_what_came_before(ReadDirection direction, int off)
    {
        var pages = 0;
        _engine.Tampering.Asked = request => request is { WithStanding: false, MaxEvents: int.MaxValue } && request.From > 0 && ++pages > 1
            ? request with { From = request.From + off }
            : request;
        var read = new List<long>();

        await Assert.ThrowsAsync<SegmentFaultedException>(async () =>
        {
            await foreach (var e in Log.Stream("s").ReadAsync(direction))
            {
                read.Add(e.Revision);
            }
        });

        Assert.InRange(read.Count, 1, Events - 1);
        Assert.Equal((direction == ReadDirection.Forward ? Up(0) : Up(0).Reverse()).Take(read.Count), read);
    }

    /// <summary>Events of the same segment, and of revisions that the stream might have there.</summary>
    private FrameBlock Beside(Guid segmentId, StreamReadRequest request)
    {
        var segment = _engine.Segments.ToList().FindIndex(listed => listed.Id == segmentId);
        return _engine.Read(segmentId, request with { Stream = $"beside-{segment}-0", From = request.Backward ? request.From : 0 }).Events;
    }

    private static FrameBlock With(FrameBlock block, Guid segmentId, bool empty = false) => new()
    {
        SegmentId = segmentId, Generation = block.Generation, Epoch = block.Epoch, BasePosition = block.BasePosition,
        Runs = empty ? [] : block.Runs, Bytes = empty ? new Block(ReadOnlyMemory<byte>.Empty) : block.Bytes,
    };

    private static IEnumerable<long> Up(long from) => Enumerable.Range(0, Events).Select(static n => (long)n).Where(n => n >= from);

    private static EventData Event(string stream) => new(stream, "happened", new byte[1500]);

    private static async Task<List<long>> Revisions(IAsyncEnumerable<RecordedEvent> sequence) => [.. (await sequence.ToListAsync()).Select(static e => e.Revision)];
}
