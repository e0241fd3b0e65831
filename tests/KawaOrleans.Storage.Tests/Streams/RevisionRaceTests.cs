using KawaOrleans.Storage.Tests.Simulation;
using KawaOrleans.Tests.History;
using Xunit.Abstractions;

namespace KawaOrleans.Storage.Tests.Streams;

/// <summary>Many writers that expect exact revisions of the same streams, with rolls, kills and lost answers in between. New seeds in every
/// run, printed; <c>KAWA_SEED=n</c> replays one, <c>KAWA_SWEEP=full</c> tries 5,000.</summary>
public sealed class RevisionRaceTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(Durability.Durable)]
    [InlineData(Durability.Mapped)]
    public async Task Of_64_writers_that_expect_the_same_revision_exactly_one_wins(Durability durability)
    {
        var store = NodeStore.Open(new SimulatedVolume(), "/kawa", "node-1", new StillTime());
        var writer = store.Create(Sample.Header(fileBytes: 1 << 20)).OpenWriter(Guid.NewGuid(), durability);
        for (var revision = -1L; revision < 20; revision++)
        {
            var expected = revision < 0 ? ExpectedRevision.NoStream : ExpectedRevision.Exactly(revision);
            var outcomes = await Task.WhenAll(Enumerable.Range(0, 64).Select(n => Task.Run(async () =>
                await Sample.AppendAsync(writer, EventBatch.Of(Sample.Event(n) with { Stream = "raced" }), StreamExpectations.Of(new StreamExpectation("raced", expected))))));

            var won = Assert.Single(outcomes, o => o.Conflict is null);
            Assert.Equal([revision + 1], won.Revisions!);
            Assert.All(outcomes.Where(o => o.Conflict is not null), o => Assert.Equal(new StreamConflict("raced", expected, revision + 1), o.Conflict));
        }

        Assert.Equal(21, Sample.ReadAll(store.Segments.Single()).Count);
    }

    [Fact]
    public async Task A_batch_over_several_streams_is_written_whole_or_not_at_all()
    {
        var store = NodeStore.Open(new SimulatedVolume(), "/kawa", "node-1", new StillTime());
        var writer = store.Create(Sample.Header()).OpenWriter(Guid.NewGuid());
        var batch = EventBatch.Encode([new EventData("from", "moved", default), new EventData("to", "moved", default), new EventData("to", "noted", default)]);
        var expected = StreamExpectations.Of(
            new StreamExpectation("from", ExpectedRevision.NoStream), new StreamExpectation("to", ExpectedRevision.NoStream), new StreamExpectation("open", ExpectedRevision.StreamExists));

        var refused = await Sample.AppendAsync(writer, batch, expected);
        Assert.Equal(new StreamConflict("open", ExpectedRevision.StreamExists, -1), refused.Conflict);
        Assert.Equal(0, store.Segments.Single().Tail.Position);

        await writer.AppendAsync(new EventData("open", "opened", default));
        var written = await Sample.AppendAsync(writer, batch, expected);
        Assert.Equal((1L, 3), (written.Position, written.Count));
        Assert.Equal([0L, 1, -1], written.Revisions);
    }

    [Theory]
    [InlineData(Durability.Durable)]
    [InlineData(Durability.Mapped)]
    public async Task There_is_one_expectation_for_each_batch_or_none_at_all(Durability durability)
    {
        var store = NodeStore.Open(new SimulatedVolume(), "/kawa", "node-1", new StillTime());
        var writer = store.Create(Sample.Header()).OpenWriter(Guid.NewGuid(), durability);
        using var block = EventBlock.Parse((byte[])[.. Sample.Batch(0, 2).Bytes.Span, .. Sample.Batch(2, 1).Bytes.Span]);
        foreach (var expected in new StreamExpectations?[][] { [], [null], [null, null, StreamExpectations.None] })
        {
            var refused = await Assert.ThrowsAsync<ArgumentException>(async () => await writer.AppendAsync(block, null, expected));
            Assert.Contains($"{expected.Length} expectations for 2 batches", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(3, (await writer.AppendAsync(block, null, [null, StreamExpectations.None])).Count);
    }

    [Fact]
    public async Task Histories_of_racing_writers_keep_every_promise()
    {
        var replay = int.TryParse(Environment.GetEnvironmentVariable("KAWA_SEED"), out var seed);
        var runs = replay ? 1 : Environment.GetEnvironmentVariable("KAWA_SWEEP") == "full" ? 5000 : 40;
        for (var run = 0; run < runs; run++)
        {
            seed = replay ? seed : Random.Shared.Next();
            output.WriteLine($"KAWA_SEED={seed}");
            var violations = await new Race(seed).RunAsync();
            Assert.True(violations.Count == 0, $"KAWA_SEED={seed}: {string.Join("; ", violations.Take(3))}");
        }
    }

    private sealed class Race(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly History _history = new();
        private readonly Dictionary<string, long> _believed = [];
        private readonly StillTime _time = new();
        private SimulatedVolume _volume = new();
        private NodeStore _store = null!;
        private SegmentWriter _writer = null!;
        private int _epoch;
        private int _number;

        public async Task<IReadOnlyList<Violation>> RunAsync()
        {
            _store = Open();
            Roll();
            for (var round = 0; round < 25; round++)
            {
                var appends = Enumerable.Range(0, 1 + _random.Next(12)).Select(_ => Begin()).ToList();
                switch (_random.Next(6))
                {
                    case 0:
                        // The answers of what is in flight are lost with the process; what it wrote may be there.
                        _volume = _volume.AfterKill();
                        _store = Open();
                        _writer = _store.CurrentWriteSegment(Sample.LogId)!.OpenWriter(Guid.NewGuid());
                        Read();
                        break;
                    case 1:
                        Roll();
                        await Task.WhenAll(appends.Select(EndAsync));
                        break;
                    default:
                        await Task.WhenAll(appends.Select(EndAsync));
                        Read();
                        break;
                }
            }

            return HistoryCheck.Find(_history, [.. Log().Select(FinalEvent.Of)]);
        }

        private (RecordedAppend Append, Task<BatchOutcome> Task) Begin()
        {
            var events = Enumerable.Range(0, 1 + _random.Next(3)).Select(_ => Sample.Event(_number++, _random.Next(2000)) with { Stream = AnyStream() }).ToList();
            var expected = events.Select(e => e.Stream).Append(AnyStream()).Distinct().Where(_ => _random.Next(3) > 0).ToDictionary(s => s, s => _random.Next(10) switch
            {
                0 => Expectation.SomeEvent,
                1 => Expectation.NoStream,
                _ => _believed.GetValueOrDefault(s, -1),
            });
            var append = _history.Append([.. events.Select(e => new GivenEvent(e.Id, e.Stream))], [.. expected.Select(e => new Expectation(e.Key, e.Value))]);
            var given = StreamExpectations.Of([.. expected.Select(e => new StreamExpectation(e.Key, e.Value switch
            {
                Expectation.SomeEvent => ExpectedRevision.StreamExists,
                Expectation.NoStream => ExpectedRevision.NoStream,
                var exact => ExpectedRevision.Exactly(exact),
            }))]);
            return (append, Sample.AppendAsync(_writer, EventBatch.Encode(events), given));
        }

        private async Task EndAsync((RecordedAppend Append, Task<BatchOutcome> Task) given)
        {
            try
            {
                var outcome = await given.Task;
                if (outcome.Conflict is { } conflict)
                {
                    _history.Refused(given.Append, (conflict.Stream, conflict.ActualRevision));
                    lock (_believed)
                    {
                        _believed[conflict.Stream] = conflict.ActualRevision;
                    }
                }
                else
                {
                    _history.Acknowledged(given.Append, outcome.Position);
                }
            }
            catch (Exception e) when (e is SegmentFullException or WriterFencedException)
            {
                _history.Refused(given.Append);
            }
        }

        private void Read()
        {
            var read = _history.Read();
            var log = Log();
            _history.Saw(read, [.. log.Select(e => e.Id)], toTheEnd: true);
            foreach (var e in log)
            {
                _believed[e.Stream] = e.Revision;
            }
        }

        private List<RecordedEvent> Log()
        {
            var log = new List<RecordedEvent>();
            foreach (var segment in _store.Segments.OrderBy(s => s.Header.Identity.Epoch))
            {
                log.AddRange(Sample.ReadAll(segment, log.Count));
            }

            return log;
        }

        private void Roll()
        {
            var current = _store.CurrentWriteSegment(Sample.LogId);
            var end = current?.Fence(1).Position ?? 0;
            current?.Seal(end);
            _writer = _store.Create(Sample.Header(new Guid(++_epoch, 7, 7, new byte[8]), basePosition: end, epoch: _epoch) with { Predecessor = current?.Header.Identity.Id }).OpenWriter(Guid.NewGuid());
        }

        private NodeStore Open() => NodeStore.Open(_volume, "/kawa", "node-1", _time, Workload.CheckpointIntervalBytes);

        private string AnyStream() => _random.Next(8) switch
        {
            0 => SameHash.Pairs[0].A,
            1 => SameHash.Pairs[0].B,
            var n => $"s-{n}",
        };
    }
}
