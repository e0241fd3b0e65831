namespace KawaOrleans.Client.Tests.Streams;

/// <summary>What a client sends of expectations, and what it makes of the answers.</summary>
public sealed class StreamAppendTests : IDisposable
{
    private readonly EngineLog _engine = new();

    private ILog Log => _engine.Log;

    public void Dispose() => _engine.Dispose();

    [Fact]
    public async Task What_is_expected_is_decided_by_the_writer_and_what_does_not_hold_is_a_result()
    {
        var stream = Log.Stream("s");

        Assert.Equal(new RevisionConflict("s", ExpectedRevision.StreamExists, -1), await stream.AppendAsync([Event("s")], ExpectedRevision.StreamExists));
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.Exactly(0), -1), await stream.AppendAsync([Event("s")], ExpectedRevision.Exactly(0)));
        AssertAppended(0, [1], await stream.AppendAsync([Event("s"), Event("s")], ExpectedRevision.NoStream));
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.NoStream, 1), await stream.AppendAsync([Event("s")], ExpectedRevision.NoStream));
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.Exactly(0), 1), await stream.AppendAsync([Event("s")], ExpectedRevision.Exactly(0)));
        AssertAppended(2, [2], await stream.AppendAsync([Event("s")], ExpectedRevision.Exactly(1)));
        AssertAppended(3, [3], await stream.AppendAsync([Event("s")], ExpectedRevision.StreamExists));
        AssertAppended(4, [4], await stream.AppendAsync([Event("s")]));
        Assert.Equal([0L, 1, 2, 3, 4], (await _engine.AllAsync()).Select(e => e.Revision));
    }

    [Fact]
    public async Task A_stream_that_is_only_named_is_held_to_what_is_expected_of_it()
    {
        await Log.AppendAsync(Event("owner"));
        var batch = EventBatch.Encode([Event("from"), Event("to"), Event("to")]);

        Assert.Equal(new RevisionConflict("owner", ExpectedRevision.Exactly(1), 0), await Log.AppendAsync(batch, Expecting("owner", ExpectedRevision.Exactly(1))));
        Assert.Equal(new RevisionConflict("nobody", ExpectedRevision.StreamExists, -1), await Log.AppendAsync(batch, Expecting("nobody", ExpectedRevision.StreamExists)));
        Assert.Single(await _engine.AllAsync());
        AssertAppended(1, [0, 1, -1], await Log.AppendAsync(batch, Expecting("owner", ExpectedRevision.Exactly(0))));

        static StreamExpectations Expecting(string named, ExpectedRevision expected) => StreamExpectations.Of(
            new StreamExpectation("from", ExpectedRevision.NoStream), new StreamExpectation("to", ExpectedRevision.NoStream), new StreamExpectation(named, expected));
    }

    [Fact]
    public async Task An_append_whose_answer_was_lost_is_repeated_as_it_was_and_told_its_first_revision()
    {
        await Log.AppendAsync(Event("s"));
        foreach (var (expected, revision) in new[] { (ExpectedRevision.Any, 1), (ExpectedRevision.StreamExists, 2), (ExpectedRevision.Exactly(2), 3) })
        {
            var calls = new List<AppendRequest>();
            _engine.Tampering.Appended = (request, answer) =>
            {
                calls.Add(request);
                return calls.Count == 1 ? throw new Orleans.Runtime.SiloUnavailableException("connection lost") : answer;
            };

            var appended = Assert.IsType<Appended>(await Log.Stream("s").AppendAsync([Event("s")], expected));

            AssertAppended(revision, [revision], appended);
            Assert.True(appended.IsRepeat);
            Assert.Equal(2, calls.Count);
            Assert.Equal((null, (long?)revision), (calls[0].RetrySince, calls[1].RetrySince));
            Assert.Equal(calls[0].Batches.Bytes.ToArray(), calls[1].Batches.Bytes.ToArray());
        }

        Assert.Equal([0L, 1, 2, 3], (await _engine.AllAsync()).Select(e => e.Revision));
    }

    [Fact]
    public async Task Batches_that_travelled_together_are_each_told_their_own()
    {
        await Log.AppendAsync(Event("s"));
        var held = new TaskCompletionSource();
        var calls = new List<int>();
        _engine.Tampering.BeforeAppend = () => held.Task;
        _engine.Tampering.Appended = (request, answer) =>
        {
            calls.Add(request.Expected?.Count ?? 1);
            return answer;
        };

        // The first two are on their way at once; what comes meanwhile goes together.
        var first = new[] { Append(1, "s"), Append(1, "s") };
        var rest = new[] { Append(3, "a"), Append(1), Append(2, "b", "a"), Append(1, "c") };
        var alone = Log.Stream("d").AppendAsync([Event("d")], ExpectedRevision.StreamExists);
        held.SetResult();
        await Task.WhenAll(first);

        AssertAppended(3, [2], await rest[0]);
        Assert.Null(AssertAppended(6, null, await rest[1]).Revisions);
        AssertAppended(7, [0, 3], await rest[2]);
        AssertAppended(9, [0], await rest[3]);
        Assert.Equal(new RevisionConflict("d", ExpectedRevision.StreamExists, -1), await alone);
        Assert.Contains(calls, static batches => batches > 1);
        Assert.Equal(Enumerable.Range(0, 10).Select(n => (long)n), (await _engine.AllAsync()).Select(e => e.Position));

        Task<AppendResult> Append(int each, params string[] streams) => streams.Length == 0
            ? Plain(Log.AppendAsync(EventBatch.Encode([Event("plain")])))
            : Log.AppendAsync(
                EventBatch.Encode([.. streams.SelectMany(stream => Enumerable.Range(0, streams.Length == 1 ? each : 1).Select(_ => Event(stream)))]),
                StreamExpectations.Of([.. streams.Select(stream => new StreamExpectation(stream, ExpectedRevision.Any))]));

        static async Task<AppendResult> Plain(Task<Appended> appended) => await appended;
    }

    [Fact]
    public async Task An_answer_that_does_not_fit_the_call_says_nothing_of_the_outcome()
    {
        await Log.AppendAsync(Event("s"));
        _engine.Tampering.Appended = static (_, answer) => answer is Appended appended ? appended with { Revisions = [1, 2] } : answer;

        await Assert.ThrowsAsync<UnknownOutcomeException>(() => Log.Stream("s").AppendAsync([Event("s")]));
    }

    [Fact]
    public async Task Events_of_another_stream_are_not_taken_by_a_stream()
    {
        await Assert.ThrowsAsync<RequestRefusedException>(() => Log.Stream("s").AppendAsync([Event("s"), Event("other")]));
        Assert.Empty(_engine.Segments);
    }

    [Fact]
    public async Task Who_expects_something_of_an_ended_stream_is_answered_and_who_expects_nothing_gets_an_exception()
    {
        await Log.Stream("s").AppendAsync([Event("s")]);
        await Log.Stream("s").TombstoneAsync();

        Assert.Equal(new StreamTombstoned("s", 1), await Log.Stream("s").AppendAsync([Event("s")], ExpectedRevision.Exactly(1)));
        Assert.Equal(new StreamTombstoned("s", 1), await Log.AppendAsync(
            EventBatch.Of(Event("other")), StreamExpectations.Of(new StreamExpectation("s", ExpectedRevision.Any))));
        Assert.Equal(1, (await Assert.ThrowsAsync<StreamTombstonedException>(() => Log.AppendAsync(Event("s")))).Tombstone.Revision);
        Assert.Equal(2, (await _engine.AllAsync()).Count);
    }

    private static EventData Event(string stream) => new(stream, "happened", new byte[10]);

    private static Appended AssertAppended(long first, long[]? revisions, AppendResult result)
    {
        var appended = Assert.IsType<Appended>(result);
        Assert.Equal(first, appended.First);
        Assert.Equal(revisions, appended.Revisions);
        return appended;
    }
}
