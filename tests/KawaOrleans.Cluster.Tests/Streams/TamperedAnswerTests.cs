using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Streams;

/// <summary>Segments that know less than they could, and segments that answer what cannot be.</summary>
public sealed class TamperedAnswerTests : IAsyncLifetime
{
    private readonly Tampering _tampering = new();
    private readonly ShiftedTime _time = new();
    private KawaCluster _cluster = null!;
    private ILog _log = null!;

    public async Task InitializeAsync()
    {
        _cluster = await KawaCluster.Start(
            1,
            configure: silo =>
            {
                silo.AddIncomingGrainCallFilter(_tampering);
                silo.Services.AddSingleton<TimeProvider>(_time);
            },
            configureClient: client =>
            {
                client.Services.AddSingleton<TimeProvider>(_time);
                client.AddKawaClient(static options => options.ReadBlockBytes = 8192);
            });
        _log = await MetadataTests.Rolling(_cluster);
        foreach (var stream in new[] { "plain", "short", "deleted", "ended", "old" })
        {
            await _log.AppendAsync(PlainLog.Batch(12, stream, bytes: 3000));
        }

        await _log.Stream("short").SetMetadataAsync(new StreamMetadata { TruncateBefore = 9 });
        await _log.Stream("deleted").DeleteAsync();
        await _log.Stream("ended").TombstoneAsync();
        await _log.Stream("old").SetMetadataAsync(new StreamMetadata { MaxAge = TimeSpan.FromHours(1) });
        _time.Advance(TimeSpan.FromHours(2));
        await _log.AppendAsync(PlainLog.Batch(20, "other", bytes: 4000));
        foreach (var stream in new[] { "plain", "short", "old" })
        {
            await _log.AppendAsync(PlainLog.Batch(2, stream, bytes: 100));
        }

        Assert.True((await _log.DescribeAsync()).Segments.Count > 4, "the log is meant to have rolled");
    }

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Where_nodes_know_nothing_of_what_lies_before_the_segments_themselves_are_asked()
    {
        _tampering.Answer = static result => result with { Standing = null, Before = StreamReadResult.NotKnown };
        _tampering.Found = static found => found.Select(static _ => (StreamStanding?)null).ToArray();

        await MetadataTests.AssertShown(_log.Stream("plain"), Enumerable.Range(0, 14));
        await MetadataTests.AssertShown(_log.Stream("short"), Enumerable.Range(9, 5));
        await MetadataTests.AssertShown(_log.Stream("old"), [12, 13]);
        await MetadataTests.AssertShown(_log.Stream("deleted"), []);
        await MetadataTests.AssertShown(_log.Stream("never"), []);
        Assert.Equal(12, (await Assert.ThrowsAsync<StreamTombstonedException>(() => StreamTests.Drain(_log.Stream("ended").ReadAsync()))).Tombstone.Revision);
        Assert.Equal(["plain", "short", "old", "other"], await StreamTests.Drain(_log.ListStreamsAsync()));
        Assert.Equal([13L], Assert.IsType<Appended>(await _log.Stream("deleted").AppendAsync([PlainLog.Event("deleted", "x", "")], ExpectedRevision.NoStream)).Revisions);
    }

    [Theory]
    [InlineData(ReadDirection.Forward)]
    [InlineData(ReadDirection.Backward)]
    public async Task Events_that_are_withheld_are_missed(ReadDirection direction)
    {
        _tampering.Answer = static result => result with
        {
            Events = new FrameBlock
            {
                SegmentId = result.Events.SegmentId, Generation = result.Events.Generation, Epoch = result.Events.Epoch,
                BasePosition = result.Events.BasePosition, Runs = [], Bytes = new Block(ReadOnlyMemory<byte>.Empty),
            },
        };
        await Fails("though it holds", direction);
    }

    [Theory]
    [InlineData(ReadDirection.Forward, 1, "where 0 comes next")]
    [InlineData(ReadDirection.Backward, -1, "comes next")]
    public async Task Other_revisions_than_those_asked_for_are_no_answer(ReadDirection direction, int off, string found)
    {
        // From the second page on, so that there is one before it to be held against.
        var asked = 0;
        _tampering.Request = request => direction == ReadDirection.Forward || ++asked > 1 ? request with { From = request.From == long.MaxValue ? request.From : request.From + off } : request;
        await Fails(found, direction);
    }

    [Fact]
    public async Task Events_of_another_stream_are_no_answer()
    {
        _tampering.Request = static request => request with { Stream = "other" };
        await Fails("events of another", ReadDirection.Forward);
        await Fails("events of another", ReadDirection.Backward);
    }

    [Fact]
    public async Task A_segment_does_not_send_its_reader_in_a_circle()
    {
        _tampering.Answer = static result => result with { Before = result.Before < 0 ? result.Before : result.Events.BasePosition };
        await Fails("has its event before at", ReadDirection.Forward);
        await Fails("has its event before at", ReadDirection.Backward);
    }

    [Fact]
    public async Task An_answer_about_more_or_fewer_streams_than_asked_is_none()
    {
        _tampering.Found = static found => found.Skip(1).ToArray();
        await Assert.ThrowsAsync<SegmentFaultedException>(() => StreamTests.Drain(_log.ListStreamsAsync()));
    }

    private async Task Fails(string found, ReadDirection direction)
    {
        var error = await Assert.ThrowsAsync<SegmentFaultedException>(() => StreamTests.Drain(_log.Stream("plain").ReadAsync(direction)));
        Assert.Contains(found, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Changes what is asked of segments and what they answer.</summary>
    private sealed class Tampering : IIncomingGrainCallFilter
    {
        public Func<StreamReadRequest, StreamReadRequest> Request { get; set; } = static request => request;

        public Func<StreamReadResult, StreamReadResult> Answer { get; set; } = static result => result;

        public Func<IReadOnlyList<StreamStanding?>, IReadOnlyList<StreamStanding?>> Found { get; set; } = static found => found;

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.InterfaceMethod.Name == nameof(ISegmentGrain.ReadStream))
            {
                context.Request.SetArgument(0, Request((StreamReadRequest)context.Request.GetArgument(0)!));
            }

            await context.Invoke();
            context.Result = context.Result switch
            {
                StreamReadResult result => Answer(result),
                IReadOnlyList<StreamStanding?> found => Found(found),
                var other => other,
            };
        }
    }
}
