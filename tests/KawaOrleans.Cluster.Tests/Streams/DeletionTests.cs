using KawaOrleans.Server.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Streams;

/// <summary>Streams that are deleted, taken up again, and ended for ever, as an application sees them.</summary>
public sealed class DeletionTests
{
    [Fact]
    public async Task A_deleted_stream_reads_as_none_and_is_taken_up_again_behind_its_revisions()
    {
        await using var cluster = await StreamTests.Start(1);
        var log = StreamTests.Log(cluster, "orders");
        var stream = log.Stream("s");
        Assert.Equal(-1, (await Assert.ThrowsAsync<UnknownLogException>(() => stream.DeleteAsync())) is null ? 0 : -1);
        await log.AppendAsync(PlainLog.Batch(1, "other"));
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.StreamExists, -1), await stream.DeleteAsync());
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.Exactly(3), -1), await stream.DeleteAsync(ExpectedRevision.Exactly(3)));
        await stream.SetMetadataAsync(new StreamMetadata { MaxCount = 2, Custom = "kept"u8.ToArray() });
        await stream.AppendAsync([Event("0"), Event("1"), Event("2")]);
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.Exactly(1), 2), await stream.DeleteAsync(ExpectedRevision.Exactly(1)));
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.NoStream, 2), await stream.DeleteAsync(ExpectedRevision.NoStream));
        await MetadataTests.AssertShown(stream, [1, 2]);

        var deleted = Assert.IsType<Appended>(await stream.DeleteAsync(ExpectedRevision.Exactly(2)));
        Assert.Equal([3L], deleted.Revisions);
        await AssertNone(stream);
        Assert.Equal(new StreamMetadata { TruncateBefore = 4, MaxCount = 2, Custom = "kept"u8.ToArray() }, (await stream.GetMetadataAsync()).Metadata);
        Assert.Equal(["other"], await StreamTests.Drain(log.ListStreamsAsync()));

        var again = Assert.IsType<Appended>(await stream.DeleteAsync());
        Assert.True(again.IsRepeat);
        Assert.Equal((deleted.Last, deleted.Recorded), (again.First, again.Recorded));
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.StreamExists, 3) { IsDeleted = true }, await stream.DeleteAsync(ExpectedRevision.StreamExists));
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.StreamExists, 3) { IsDeleted = true }, await stream.AppendAsync([Event("x")], ExpectedRevision.StreamExists));
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.Exactly(2), 3) { IsDeleted = true }, await stream.AppendAsync([Event("x")], ExpectedRevision.Exactly(2)));
        Assert.Equal([4L], Assert.IsType<Appended>(await stream.AppendAsync([Event("4")], ExpectedRevision.NoStream)).Revisions);
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.NoStream, 4), await stream.AppendAsync([Event("x")], ExpectedRevision.NoStream));
        await MetadataTests.AssertShown(stream, [4]);
        await stream.AppendAsync([Event("5"), Event("6")], ExpectedRevision.Exactly(4));
        await MetadataTests.AssertShown(stream, [5, 6]);
        Assert.Equal(["other", "s"], await StreamTests.Drain(log.ListStreamsAsync()));
        Assert.Equal(7, (await StreamTests.Drain(log.ReadAsync())).Count(e => e.Stream == "s"));

        // What metadata show again is shown, without what deleted it.
        await stream.SetMetadataAsync(StreamMetadata.None);
        Assert.Equal([0L, 1, 2, 4, 5, 6], (await StreamTests.Drain(stream.ReadAsync())).Select(e => e.Revision));
        Assert.Equal([6L, 5, 4, 2, 1, 0], (await StreamTests.Drain(stream.ReadAsync(ReadDirection.Backward))).Select(e => e.Revision));
    }

    [Fact]
    public async Task A_stream_with_a_tombstone_takes_nothing_and_gives_nothing_over_rolls_restarts_and_repeats()
    {
        await using var cluster = await StreamTests.Start(1);
        var log = await MetadataTests.Rolling(cluster);
        var stream = log.Stream("s");
        var batch = EventBatch.Encode([Event("0"), Event("1")]);
        var named = StreamExpectations.Of(new StreamExpectation("s", ExpectedRevision.NoStream));
        var first = Assert.IsType<Appended>(await log.AppendAsync(batch, named));
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.Exactly(0), 1), await stream.TombstoneAsync(ExpectedRevision.Exactly(0)));
        Assert.Equal([2L], Assert.IsType<Appended>(await stream.TombstoneAsync(ExpectedRevision.Exactly(1))).Revisions);
        await AssertEnded(log, "s", 2);
        Assert.Equal([0L], Assert.IsType<Appended>(await log.Stream("never").TombstoneAsync()).Revisions);
        await log.AppendAsync(PlainLog.Batch(30, "other", bytes: 4000));
        await AssertEnded(log, "s", 2);
        await AssertEnded(log, "never", 0);
        await cluster.Kill(0);
        await cluster.Restart(0);
        await StreamTests.Patiently(() => AssertEnded(log, "s", 2));
        await AssertEnded(log, "never", 0);

        var again = Assert.IsType<Appended>(await log.AppendAsync(batch, named));
        Assert.Equal((true, first.First, first.Recorded), (again.IsRepeat, again.First, again.Recorded));
        Assert.Equal(["other"], await StreamTests.Drain(log.ListStreamsAsync()));
        Assert.Equal(34, (await StreamTests.Drain(log.ReadAsync())).Count);
    }

    [Fact]
    public async Task What_was_said_of_streams_goes_along_when_the_log_goes_on_at_another_node()
    {
        await using var cluster = await StreamTests.Start(2);
        var log = StreamTests.Log(cluster, "moved");
        await log.AppendAsync(EventBatch.Encode([Event("0", "ended"), Event("0", "deleted"), Event("0", "short")]));
        await log.Stream("ended").TombstoneAsync();
        await log.Stream("deleted").DeleteAsync();
        await log.Stream("short").SetMetadataAsync(new StreamMetadata { MaxCount = 1 });
        var chain = await cluster.Client.GetGrain<ISegmentDirectoryGrain>("moved").GetChain();
        var old = chain.WriteSegment!;
        var from = old.Primary == KawaCluster.NodeName(0) ? 0 : 1;
        var (here, there) = (cluster.Service<LocalNode>(from), cluster.Service<LocalNode>(1 - from));
        const long end = 7;
        var next = old with { Id = Guid.NewGuid(), Epoch = old.Epoch + 1, Base = end, Ensemble = [there.Report().Node] };
        there.Prepare(new Server.Protocol.NewSegment
        {
            LogId = chain.LogId, LogName = "moved", Segment = next, Predecessor = old.Id, ChainVersion = chain.Version, TimestampFloor = 0,
        });
        var moved = chain with { Version = chain.Version + 1, Segments = [old with { End = end }, next] };
        here.Announce(moved);
        there.Announce(moved);
        var grain = cluster.Client.GetGrain<ISegmentGrain>(next.Id, next.Primary);

        Assert.Equal(new StreamTombstoned("ended", 1), await Append("ended", ExpectedRevision.Any));
        Assert.Equal([2L], Assert.IsType<Appended>(await Append("deleted", ExpectedRevision.NoStream)).Revisions);
        Assert.Equal([1L], Assert.IsType<Appended>(await Append("short", ExpectedRevision.Exactly(0))).Revisions);
        var found = await grain.FindStreams(["ended", "deleted", "short", "never"]);
        Assert.Equal(
            [(1L, false, true, -1L), (2, false, false, 4), (1, false, false, 6), (-1, false, false, -1)],
            found.Select(s => (s!.LastRevision, s.IsDeleted, s.IsTombstoned, s.MetadataPosition)));

        async Task<AppendResult> Append(string stream, ExpectedRevision expected) => await grain.Append(new AppendRequest
        {
            Batches = Block.Of(EventBatch.Of(Event("moved", stream))), Expected = [StreamExpectations.Of(new StreamExpectation(stream, expected))],
        });
    }

    [Fact]
    public async Task Streams_are_deleted_and_written_by_many_at_once_and_no_revision_is_given_twice()
    {
        await using var cluster = await StreamTests.Start(1);
        var log = await MetadataTests.Rolling(cluster);
        var stream = log.Stream("s");
        await stream.AppendAsync([Event("first")]);
        var given = await Task.WhenAll(Enumerable.Range(0, 12).Select(async n =>
        {
            var revisions = new List<long>();
            for (var i = 0; i < 10; i++)
            {
                var result = n % 4 == 0 ? await stream.DeleteAsync() : await stream.AppendAsync([Event($"{n}-{i}")]);
                if (result is Appended { IsRepeat: false } appended)
                {
                    revisions.AddRange(appended.Revisions!);
                }
            }

            return revisions;
        }));

        var last = given.SelectMany(r => r).Max();
        Assert.Equal(Enumerable.Range(1, (int)last).Select(r => (long)r), given.SelectMany(r => r).Order());

        // Exactly what came behind the last deletion is seen.
        var all = (await StreamTests.Drain(log.ReadAsync())).Where(e => e.Stream == "s").ToList();
        var deleted = all.FindLastIndex(e => e.Type == StreamChange.DeletedType);
        Assert.True(deleted > 0, "nobody deleted it");
        Assert.Equal(all.Skip(deleted + 1).Select(e => e.Id), (await StreamTests.Drain(stream.ReadAsync())).Select(e => e.Id));
    }

    private static async Task AssertEnded(ILog log, string name, long revision)
    {
        var (stream, ended) = (log.Stream(name), new StreamTombstoned(name, revision));
        foreach (var expected in new[] { ExpectedRevision.Any, ExpectedRevision.NoStream, ExpectedRevision.StreamExists, ExpectedRevision.Exactly(revision), ExpectedRevision.Exactly(99) })
        {
            Assert.Equal(ended, await stream.AppendAsync([Event("x", name)], expected));
            Assert.Equal(ended, await stream.TombstoneAsync(expected));
        }

        Assert.Equal(ended, await stream.DeleteAsync());
        Assert.Equal(ended, await stream.SetMetadataAsync(new StreamMetadata { MaxCount = 1 }));
        Assert.Equal(ended, (await Assert.ThrowsAsync<StreamTombstonedException>(() => log.AppendAsync(Event("x", name)))).Tombstone);
        Assert.Equal(ended, (await Assert.ThrowsAsync<StreamTombstonedException>(() => StreamTests.Drain(stream.ReadAsync()))).Tombstone);
        Assert.Equal(ended, (await Assert.ThrowsAsync<StreamTombstonedException>(() => StreamTests.Drain(stream.ReadAsync(follow: true)))).Tombstone);
        Assert.Equal(ended, (await Assert.ThrowsAsync<StreamTombstonedException>(() => StreamTests.Drain(stream.ReadAsync(ReadDirection.Backward)))).Tombstone);
        Assert.Equal(ended, (await Assert.ThrowsAsync<StreamTombstonedException>(() => stream.TryReadLastAsync())).Tombstone);
        Assert.Equal(ended, (await Assert.ThrowsAsync<StreamTombstonedException>(() => stream.DescribeAsync())).Tombstone);
        Assert.Equal(StreamMetadata.None, (await stream.GetMetadataAsync()).Metadata);
    }

    private static async Task AssertNone(IStreamHandle stream)
    {
        await MetadataTests.AssertShown(stream, []);
        Assert.Null(await stream.DescribeAsync());
    }

    private static EventData Event(string tag, string stream = "s") => PlainLog.Event(stream, "happened", tag);
}
