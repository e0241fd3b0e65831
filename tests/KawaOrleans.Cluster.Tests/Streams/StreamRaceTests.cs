using KawaOrleans.Tests.History;
using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Streams;

/// <summary>Many writers of the same streams through the client, with rolls and the death of a node in between.</summary>
public sealed class StreamRaceTests
{
    private const int Writers = 64;

    [Fact]
    public async Task Of_64_writers_that_expect_the_same_revision_exactly_one_wins()
    {
        await using var cluster = await StreamTests.Start(1);
        var stream = StreamTests.Log(cluster, "raced").Stream("s");
        for (var revision = -1L; revision < 10; revision++)
        {
            var expected = revision < 0 ? ExpectedRevision.NoStream : ExpectedRevision.Exactly(revision);
            var results = await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => stream.AppendAsync([PlainLog.Event("s", "raced", $"{writer}")], expected)));

            Assert.Equal([revision + 1], Assert.Single(results.OfType<Appended>()).Revisions!);
            Assert.Equal(Writers - 1, results.Count(result => result == new RevisionConflict("s", expected, revision + 1)));
        }
    }

    [Fact]
    public async Task Writers_that_race_over_rolls_and_a_dead_node_keep_every_promise()
    {
        await using var cluster = await StreamTests.Start(2);
        var store = cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>();
        var log = await store.CreateLogAsync("raced", new LogOptions { SegmentBytes = 64 * 1024 });
        await log.AppendAsync(PlainLog.Event("first", "raced", "0"));
        var owner = (await log.DescribeAsync()).Segments[0].Node == KawaCluster.NodeName(0) ? 0 : 1;
        var history = new History();
        var begun = history.Append([new GivenEvent((await log.TryReadAsync(0))!.Id, "first")]);
        history.Acknowledged(begun, 0);
        var race = new Race(log, history);

        await race.RunAsync(appendsEach: 8);
        var second = race.RunAsync(appendsEach: 8);
        await cluster.Kill(owner);
        await cluster.Restart(owner);
        await second;
        await race.RunAsync(appendsEach: 8);

        var final = await StreamTests.Drain(log.ReadAsync());
        Assert.Empty(HistoryCheck.Find(history, [.. final.Select(FinalEvent.Of)]));
        Assert.True((await log.DescribeAsync()).Segments.Count > 3, "the log is meant to have rolled");
        var written = history.Appends.Count(append => append.Outcome == Outcome.Acknowledged);
        Assert.True(written > 4 * Writers, $"only {written} of {history.Appends.Count} tries were written");
        Assert.Contains(history.Appends, append => append.Conflict is not null);
    }

    private sealed class Race(ILog log, History history)
    {
        private static readonly string[] Streams = [.. Enumerable.Range(0, 48).Select(i => $"s-{i}")];

        public Task RunAsync(int appendsEach) => Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            var believed = new Dictionary<string, long>();
            for (var i = 0; i < appendsEach; i++)
            {
                // As writers do: who was too late tries again on what it was told.
                var streams = new[] { Streams[random.Next(Streams.Length)], Streams[random.Next(Streams.Length)] }.Distinct().ToArray();
                for (var tries = 0; tries < 5 && !await AppendAsync(streams, random, believed); tries++)
                {
                }

                if (i % 4 == 3)
                {
                    await ReadAsync(Streams[random.Next(Streams.Length)], believed);
                }
            }
        })));

        /// <summary>False when it was too late.</summary>
        private async Task<bool> AppendAsync(string[] streams, Random random, Dictionary<string, long> believed)
        {
            var events = streams.Select(stream => PlainLog.Event(stream, "raced", "", bytes: 500 + random.Next(1000))).ToList();
            var append = history.Append(
                [.. events.Select(e => new GivenEvent(e.Id, e.Stream))],
                [.. streams.Select(stream => new Expectation(stream, believed.GetValueOrDefault(stream, -1)))]);
            var expected = StreamExpectations.Of([.. append.Expected.Select(e => new StreamExpectation(
                e.Stream, e.Revision < 0 ? ExpectedRevision.NoStream : ExpectedRevision.Exactly(e.Revision)))]);
            try
            {
                switch (await log.AppendAsync(EventBatch.Encode(events), expected))
                {
                    case Appended appended:
                        history.Acknowledged(append, appended.First);
                        for (var i = 0; i < streams.Length; i++)
                        {
                            believed[streams[i]] = appended.Revisions![i];
                        }

                        break;
                    case RevisionConflict conflict:
                        history.Refused(append, (conflict.Stream, conflict.ActualRevision));
                        believed[conflict.Stream] = conflict.ActualRevision;
                        return false;
                }
            }
            catch (UnknownOutcomeException)
            {
                // May be there or not, and the history says so.
            }
            catch (KawaException e) when (e.IsRetryable || e is DirectoryUnavailableException)
            {
                history.Refused(append);
            }

            return true;
        }

        private async Task ReadAsync(string stream, Dictionary<string, long> believed)
        {
            var read = history.Read(0, stream);
            try
            {
                var seen = await StreamTests.Drain(log.Stream(stream).ReadAsync());
                history.Saw(read, [.. seen.Select(e => e.Id)], toTheEnd: true);
                believed[stream] = seen.Count - 1;
            }
            catch (KawaException e) when (e.IsRetryable || e is DirectoryUnavailableException)
            {
                // The node was away; a read without an end is not held against anything.
            }
        }
    }
}
