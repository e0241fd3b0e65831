using KawaOrleans.ClientSample.Ndjson;
using KawaOrleans.Storage.Tests.Streams;
using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Streams;

/// <summary>What a stream's metadata hide, over rolls and restarts, and who may set them.</summary>
public sealed class MetadataTests
{
    [Fact]
    public async Task Readers_see_what_the_metadata_show_from_the_answer_on_and_the_log_shows_all()
    {
        await using var cluster = await StreamTests.Start(2);
        var log = await Rolling(cluster);
        var (a, b) = SameHash.Pairs[0];
        for (var i = 0; i < 60; i++)
        {
            await log.AppendAsync(PlainLog.Event(i % 2 == 0 ? a : b, "happened", $"{i}", bytes: 4000));
        }

        Assert.True((await log.DescribeAsync()).Segments.Count > 3, "the log is meant to have rolled");
        var stream = log.Stream(a);
        var of = ExpectedRevision.NoStream;
        foreach (var (metadata, first) in new[]
        {
            (new StreamMetadata { TruncateBefore = 12 }, 12),
            (new StreamMetadata { TruncateBefore = 12, MaxCount = 5 }, 25),
            (new StreamMetadata { MaxCount = 29 }, 1),
            (new StreamMetadata { MaxCount = 1 }, 29),
            (new StreamMetadata { TruncateBefore = 29 }, 29),
            (new StreamMetadata { TruncateBefore = 30 }, 30),
            (new StreamMetadata { TruncateBefore = 1000 }, 30),
            (new StreamMetadata { TruncateBefore = 3 }, 3),
            (StreamMetadata.None, 0),
        })
        {
            Assert.IsType<Appended>(await stream.SetMetadataAsync(metadata, of));
            var read = await stream.GetMetadataAsync();
            Assert.Equal((metadata, of == ExpectedRevision.NoStream ? 0 : read.Revision), (read.Metadata, read.Revision));
            of = read.Expected;
            await AssertShown(stream, Enumerable.Range(first, 30 - first));
            await AssertShown(log.Stream(b), Enumerable.Range(0, 30));
        }

        // The metadata too lie in the log, each revision of them.
        var all = await StreamTests.Drain(log.ReadAsync());
        Assert.Equal(69, all.Count);
        Assert.Equal(Enumerable.Range(0, 9).Select(i => (long)i), all.Where(e => e.Stream == StreamMetadata.StreamOf(a)).Select(e => e.Revision));
    }

    [Fact]
    public async Task Metadata_outlive_rolls_and_a_restart()
    {
        await using var cluster = await StreamTests.Start(1);
        var log = await Rolling(cluster);
        var metadata = new StreamMetadata { TruncateBefore = 3, MaxCount = 40, Custom = "owner"u8.ToArray() };
        await log.AppendAsync(PlainLog.Batch(6, "s"));
        await log.Stream("s").SetMetadataAsync(metadata);
        await log.AppendAsync(PlainLog.Batch(40, "other", bytes: 4000));
        await AssertShown(log.Stream("s"), [3, 4, 5]);
        await cluster.Kill(0);
        await cluster.Restart(0);
        await StreamTests.Patiently(async () => Assert.Equal(new StreamMetadataResult(metadata, 0), await log.Stream("s").GetMetadataAsync()));
        await AssertShown(log.Stream("s"), [3, 4, 5]);
        await log.AppendAsync(PlainLog.Batch(1, "s"));
        await AssertShown(log.Stream("s"), [3, 4, 5, 6]);
    }

    [Fact]
    public async Task Events_are_hidden_when_they_are_too_old_by_the_readers_clock()
    {
        var time = new ShiftedTime();
        await using var cluster = await KawaCluster.Start(
            1, configure: silo => silo.Services.AddSingleton<TimeProvider>(time), configureClient: client =>
            {
                client.Services.AddSingleton<TimeProvider>(time);
                client.AddKawaClient(_ => { });
            });
        var log = await Rolling(cluster);
        var stream = log.Stream("s");
        for (var day = 0; day < 6; day++)
        {
            // The old and the young in one segment, and the other way about.
            await log.AppendAsync(PlainLog.Batch(2, "s", bytes: day % 2 == 0 ? 100 : 20_000));
            await log.AppendAsync(PlainLog.Batch(2, "s", bytes: 100));
            time.Advance(TimeSpan.FromDays(1));
        }

        Assert.True((await log.DescribeAsync()).Segments.Count > 2, "the log is meant to have rolled");
        for (var days = 6; days > 0; days--)
        {
            await stream.SetMetadataAsync(new StreamMetadata { MaxAge = TimeSpan.FromDays(days) + TimeSpan.FromHours(1) });
            await AssertShown(stream, Enumerable.Range(24 - (4 * days), 4 * days));
        }

        await stream.SetMetadataAsync(new StreamMetadata { MaxAge = TimeSpan.FromDays(3) + TimeSpan.FromHours(1), MaxCount = 5 });
        await AssertShown(stream, Enumerable.Range(19, 5));
        await stream.SetMetadataAsync(new StreamMetadata { MaxAge = TimeSpan.FromDays(2) });
        time.Advance(TimeSpan.FromDays(2));
        await AssertShown(stream, []);

        // Nobody deleted it: what is expected of it is what it was.
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.NoStream, 23), await stream.AppendAsync([PlainLog.Event("s", "x", "")], ExpectedRevision.NoStream));
        Assert.Equal((0L, 24L, 23L), await stream.DescribeAsync() is { } hidden ? (hidden.Count, hidden.FirstRevision, hidden.LastRevision) : default);
        Assert.IsType<Appended>(await stream.AppendAsync([PlainLog.Event("s", "x", "")], ExpectedRevision.Exactly(23)));
        await AssertShown(stream, [24]);
    }

    [Fact]
    public async Task Of_those_who_set_metadata_under_one_revision_one_wins()
    {
        await using var cluster = await StreamTests.Start(1);
        var log = StreamTests.Log(cluster, "orders");
        var stream = log.Stream("s");
        await log.AppendAsync(PlainLog.Batch(3, "s"));
        Assert.Equal(new StreamMetadataResult(StreamMetadata.None, -1), await stream.GetMetadataAsync());
        var results = await Task.WhenAll(Enumerable.Range(1, 8).Select(n => stream.SetMetadataAsync(new StreamMetadata { MaxCount = n }, ExpectedRevision.NoStream)));

        var set = Assert.Single(results.OfType<Appended>());
        Assert.Equal([0L], set.Revisions);
        Assert.Equal(7, results.Count(result => result == new RevisionConflict("$meta/s", ExpectedRevision.NoStream, 0)));
        Assert.Equal(new StreamMetadataResult(new StreamMetadata { MaxCount = Array.IndexOf(results, set) + 1 }, 0), await stream.GetMetadataAsync());
        Assert.Equal([1L], Assert.IsType<Appended>(await stream.SetMetadataAsync(StreamMetadata.None)).Revisions);
        Assert.Equal(["s"], await StreamTests.Drain(log.ListStreamsAsync()));
        Assert.Equal(["$meta/s"], await StreamTests.Drain(log.ListStreamsAsync("$")));
    }

    [Fact]
    public async Task A_stream_without_events_can_have_metadata_and_an_append_can_rest_on_them()
    {
        await using var cluster = await StreamTests.Start(1);
        var log = StreamTests.Log(cluster, "orders");
        await log.Stream("s").SetMetadataAsync(new StreamMetadata { MaxCount = 2 });
        Assert.Null(await log.Stream("s").DescribeAsync());
        var rests = StreamExpectations.Of(new StreamExpectation(StreamMetadata.StreamOf("s"), ExpectedRevision.Exactly(0)), new StreamExpectation("s", ExpectedRevision.NoStream));
        Assert.IsType<Appended>(await log.AppendAsync(PlainLog.Batch(5, "s"), rests));
        await AssertShown(log.Stream("s"), [3, 4]);
        await log.Stream("s").SetMetadataAsync(StreamMetadata.None);
        Assert.IsType<RevisionConflict>(await log.AppendAsync(PlainLog.Batch(1, "s"), rests));
    }

    [Fact]
    public async Task Metadata_that_no_stream_can_have_are_refused_with_the_limit_also_when_made_by_hand()
    {
        await using var cluster = await StreamTests.Start(1);
        var log = StreamTests.Log(cluster, "orders");
        await log.AppendAsync(PlainLog.Batch(1, "s"));
        var chain = await cluster.Client.GetGrain<ISegmentDirectoryGrain>("orders").GetChain();
        var grain = cluster.Client.GetGrain<ISegmentGrain>(chain.WriteSegment!.Id, chain.WriteSegment.Primary);
        foreach (var (metadata, limit) in new[]
        {
            (new StreamMetadata { TruncateBefore = -1 }, "0 or more, not -1"),
            (new StreamMetadata { MaxCount = 0 }, "at least 1, not 0"),
            (new StreamMetadata { MaxAge = TimeSpan.Zero }, "more than nothing"),
        })
        {
            await Refused(limit, () => log.Stream("s").SetMetadataAsync(metadata));
        }

        await Refused("0 or more, not -1", () => Send(new StreamMetadata { TruncateBefore = -1 }.ToEvent("s")));
        await Refused("at least 1, not -7", () => Send(new StreamMetadata { MaxCount = -7 }.ToEvent("s")));
        await Refused("more than nothing", () => Send(new StreamMetadata { MaxAge = TimeSpan.FromTicks(-1) }.ToEvent("s")));
        await Refused("3 bytes are no metadata", () => Send(StreamMetadata.None.ToEvent("s") with { Data = new byte[3] }));
        await Refused("reserved", () => Send(StreamMetadata.None.ToEvent("$meta/s")));
        await Refused("reserved", () => Send(new EventData("$other", "t", default)));
        await Refused("'$metadata' and no others", () => Send(new EventData("$meta/s", "t", default)));
        await Refused("neither data", () => Send(new EventData("s", "$tombstone", new byte[1])));
        await Refused("last of its batch", () => Send(new EventData("s", "$deleted", default), new EventData("s", "t", default)));
        await Refused("0 to 10000", () => grain.FindStreams(null!).AsTask());
        await Refused("0 to 10000", () => grain.FindStreams([.. Enumerable.Range(0, 10_001).Select(i => $"s-{i}")]).AsTask());
        await Refused("reserved", () => grain.FindStreams(["s", "$all"]).AsTask());
        await Refused("0 to 2 s", () => grain.ReadStream(new StreamReadRequest { Stream = "s", Wait = TimeSpan.FromSeconds(3) }).AsTask());
        await Refused("0 to 2 s", () => grain.ReadStream(new StreamReadRequest { Stream = "s", Wait = TimeSpan.FromTicks(-1) }).AsTask());
        await Refused("0 backward", () => grain.ReadStream(new StreamReadRequest { Stream = "s", Wait = TimeSpan.FromSeconds(1), Backward = true }).AsTask());
        await Refused("followed forward", () => StreamTests.Drain(log.Stream("s").ReadAsync(ReadDirection.Backward, follow: true)));
        Assert.Single(await StreamTests.Drain(log.ReadAsync()));

        async Task Send(params EventData[] events) => await grain.Append(Block.Of(EventBatch.EncodeNamed(events)));

        static async Task Refused(string limit, Func<Task> call) =>
            Assert.Contains(limit, (await Assert.ThrowsAsync<RequestRefusedException>(call)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_leaves_out_what_is_said_of_streams_and_can_be_imported()
    {
        await using var cluster = await StreamTests.Start(1);
        var (log, copy) = (StreamTests.Log(cluster, "orders"), StreamTests.Log(cluster, "copy"));
        await log.AppendAsync(new EventData("s", "t", "1"u8.ToArray()));
        await log.Stream("s").SetMetadataAsync(new StreamMetadata { MaxCount = 1 });
        await log.Stream("s").DeleteAsync();
        await log.Stream("never").TombstoneAsync();
        var path = Path.Combine(cluster.Root, "orders.ndjson");
        Assert.Equal(1, await Export.RunAsync(log, path, CancellationToken.None));
        Assert.Equal(1, await Import.RunAsync(await EventFile.CheckAsync(path, Limits.MaxEventBytes, default), copy, progress: null, default));
        Assert.Equal(["s"], (await StreamTests.Drain(copy.ReadAsync())).Select(e => e.Stream));
    }

    internal static async Task<ILog> Rolling(KawaCluster cluster) => await cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>()
        .CreateLogAsync("orders", new LogOptions { SegmentBytes = 64 * 1024 });

    /// <summary>Holds every way of reading the stream against the revisions that are to be seen, the last one the stream's last.</summary>
    internal static async Task AssertShown(IStreamHandle stream, IEnumerable<int> revisions)
    {
        var shown = revisions.Select(r => (long)r).ToList();
        Assert.Equal(shown, (await StreamTests.Drain(stream.ReadAsync())).Select(e => e.Revision));
        Assert.Equal(shown.AsEnumerable().Reverse(), (await StreamTests.Drain(stream.ReadAsync(ReadDirection.Backward))).Select(e => e.Revision));
        Assert.Equal(shown.Count == 0 ? null : shown[^1], (await stream.TryReadLastAsync())?.Revision);
        Assert.Equal(shown.Skip(2), (await StreamTests.Drain(stream.ReadAsync(from: shown.Count == 0 ? 0 : shown[0] + 2))).Select(e => e.Revision));
        if (shown.Count > 0)
        {
            var bounds = (await stream.DescribeAsync())!;
            Assert.Equal((shown.Count, shown[0], shown[^1]), (bounds.Count, bounds.FirstRevision, bounds.LastRevision));
            Assert.Equal(shown.Take(1), (await StreamTests.Drain(stream.ReadAsync(ReadDirection.Backward, shown[0]))).Select(e => e.Revision));
        }
    }
}
