using System.Text;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Tests.Streams;

/// <summary>Revisions and what stands against a batch, against a plain dictionary.</summary>
public sealed class StreamNumbersTests
{
    [Theory]
    [InlineData(-1, "any", true)]
    [InlineData(7, "any", true)]
    [InlineData(-1, "none", true)]
    [InlineData(0, "none", false)]
    [InlineData(-1, "exists", false)]
    [InlineData(0, "exists", true)]
    [InlineData(-1, "0", false)]
    [InlineData(0, "0", true)]
    [InlineData(1, "0", false)]
    [InlineData(long.MaxValue - 3, "9223372036854775804", true)]
    public void An_expectation_allows_what_it_says(long last, string expected, bool allowed) => Assert.Equal(allowed, Parse(expected).Allows(last));

    [Theory]
    [InlineData("any", true, false)]
    [InlineData("none", true, false)]
    [InlineData("exists", false, false)]
    [InlineData("4", true, false)]
    [InlineData("3", false, false)]
    public void Of_a_deleted_stream_its_revisions_are_left_and_of_one_that_has_ended_nothing(string expected, bool deleted, bool tombstoned)
    {
        Assert.Equal(deleted, Parse(expected).Allows(4, StreamState.Deleted));
        Assert.Equal(tombstoned, Parse(expected).Allows(4, StreamState.Tombstoned));
        Assert.Equal(Parse(expected).Allows(4), Parse(expected).Allows(4, StreamState.Live));
    }

    [Fact]
    public void An_exact_revision_is_not_negative() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ExpectedRevision.Exactly(-1));

    [Fact]
    public void A_stream_named_twice_is_refused()
    {
        var e = Assert.Throws<BatchRefusedException>(() => StreamExpectations.Of(new("a", ExpectedRevision.Any), new("a", ExpectedRevision.NoStream)));
        Assert.Contains("'a'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_streams_than_the_limit_are_refused()
    {
        var most = Enumerable.Range(0, Limits.MaxStreamsExpected).Select(i => new StreamExpectation($"s{i}", ExpectedRevision.Any)).ToList();
        Assert.Equal(most.Count, StreamExpectations.Of(most).All.Count);
        most.Add(new StreamExpectation("one more", ExpectedRevision.Any));
        Assert.Contains("1024", Assert.Throws<BatchRefusedException>(() => StreamExpectations.Of(most)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("$all")]
    [InlineData("a\nb")]
    public void A_name_that_is_none_is_refused(string stream) =>
        Assert.Throws<BatchRefusedException>(() => StreamExpectations.Of(new StreamExpectation(stream, ExpectedRevision.Any)));

    [Fact]
    public void Thousands_of_random_appends_are_decided_as_by_a_dictionary()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            var names = (string[])[.. Enumerable.Range(0, 1 + random.Next(6)).Select(i => $"stream-{i}"), SameHash.Pairs[0].A, SameHash.Pairs[0].B];
            var before = names.Where(_ => random.Next(3) == 0).ToDictionary(n => n, n => random.NextInt64(1000));
            var model = new Dictionary<string, long>(before);
            var streams = new OpenStreams("streams");
            var numbers = new StreamNumbers(streams, new Heads(before));
            var position = 0U;
            for (var step = 0; step < 12; step++)
            {
                var written = Enumerable.Range(0, 1 + random.Next(5)).Select(_ => names[random.Next(names.Length)]).ToList();
                var expected = names.Where(_ => random.Next(4) == 0)
                    .Select(n => new StreamExpectation(n, Expect(random, model.GetValueOrDefault(n, -1)))).ToList();
                var refused = expected.FirstOrDefault(e => !Allows(e.Expected, model.GetValueOrDefault(e.Stream, -1)));
                var batch = EventBatch.Encode([.. written.Select(n => new EventData(n, "t", default) { Occurred = random.Next(2) == 0 ? DateTimeOffset.UnixEpoch : null })]);

                var conflict = numbers.Number(batch.Bytes.Span, new byte[batch.Bytes.Length], StreamExpectations.Of(expected));

                if (refused.Stream is not null)
                {
                    Assert.Equal(new StreamConflict(refused.Stream, refused.Expected, model.GetValueOrDefault(refused.Stream, -1)), conflict);
                    continue;
                }

                Assert.Null(conflict);
                for (var i = 0; i < written.Count; i++)
                {
                    model[written[i]] = model.GetValueOrDefault(written[i], -1) + 1;
                    Assert.Equal(model[written[i]], numbers.Revisions[i]);
                }

                position += (uint)written.Count;
            }

            Assert.Equal(position, streams.Next);
            Assert.True(Enumerable.Range(0, streams.Count).All(o => streams.Events(o) > 0), "a refused batch left a stream behind");
        }
    }

    [Fact]
    public void A_batch_whose_look_up_fails_changes_nothing()
    {
        var streams = new OpenStreams("streams");
        var numbers = new StreamNumbers(streams, new Damaged());
        Assert.Throws<SegmentDamagedException>(() => numbers.Number(Sample.Batch(0, 3).Bytes.Span, new byte[4096], StreamExpectations.None));
        Assert.Equal(0, streams.Count);
    }

    private static ExpectedRevision Parse(string text) => text switch
    {
        "any" => ExpectedRevision.Any,
        "none" => ExpectedRevision.NoStream,
        "exists" => ExpectedRevision.StreamExists,
        _ => ExpectedRevision.Exactly(long.Parse(text, System.Globalization.CultureInfo.InvariantCulture)),
    };

    private static ExpectedRevision Expect(Random random, long last) => random.Next(8) switch
    {
        0 => ExpectedRevision.Any,
        1 => ExpectedRevision.NoStream,
        2 => ExpectedRevision.StreamExists,
        3 => ExpectedRevision.Exactly(random.Next(3)),
        _ => last < 0 ? ExpectedRevision.NoStream : ExpectedRevision.Exactly(last),
    };

    private static bool Allows(ExpectedRevision expected, long last) => expected.ToString() switch
    {
        "any" => true,
        "no stream" => last == -1,
        "an existing stream" => last != -1,
        var exact => exact == last.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };

    private sealed class Heads(Dictionary<string, long> heads) : IStreamHeads
    {
        public StreamHead? Find(StreamName name) =>
            heads.TryGetValue(Encoding.UTF8.GetString(name.Utf8), out var revision) ? new StreamHead(revision, 5, 6) : null;
    }

    private sealed class Damaged : IStreamHeads
    {
        public StreamHead? Find(StreamName name) => throw new SegmentDamagedException("file", 0, "rotten");
    }
}
