using KawaOrleans.ClientSample.Ndjson;
using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Streams;

/// <summary>Real events: few streams are long, most are short, and they lie scattered over many segments.</summary>
public sealed class StreamImportTests
{
    [Fact]
    public async Task An_imported_data_set_has_all_of_its_streams_and_every_one_reads_back_both_ways()
    {
        await using var cluster = await StreamTests.Start(1);
        var store = cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>();
        var log = await store.CreateLogAsync("changes", new LogOptions { SegmentBytes = 1024 * 1024 });
        var path = Path.Combine(AppContext.BaseDirectory, "data", "orleans-file-changes.ndjson.gz");
        var file = await EventFile.CheckAsync(path, Limits.MaxEventBytesFor(1024 * 1024), default);
        var streams = new Dictionary<string, List<Guid>>();
        await foreach (var e in file.ReadAsync())
        {
            (streams.TryGetValue(e.Stream, out var ids) ? ids : streams[e.Stream] = []).Add(e.Id);
        }

        await Import.RunAsync(file, log, null, default);

        Assert.Equal(14_521, streams.Count);
        Assert.True((await log.DescribeAsync()).Segments.Count > 10, "the log is meant to have rolled");
        Assert.Equal(streams.Keys, await StreamTests.Drain(log.ListStreamsAsync()));
        await Parallel.ForEachAsync(streams, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (expected, cancellation) =>
        {
            var stream = log.Stream(expected.Key);
            var forward = await StreamTests.Drain(stream.ReadAsync(cancellation: cancellation));
            Assert.Equal(expected.Value, forward.Select(e => e.Id));
            Assert.Equal(Enumerable.Range(0, forward.Count).Select(i => (long)i), forward.Select(e => e.Revision));
            var backward = await StreamTests.Drain(stream.ReadAsync(ReadDirection.Backward, cancellation: cancellation));
            Assert.Equal(forward.AsEnumerable().Reverse().Select(e => e.Id), backward.Select(e => e.Id));
        });
    }
}
