using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Tests.Simulation;
using Xunit.Abstractions;

namespace KawaOrleans.Storage.Tests.Streams;

/// <summary>The writer knows of every stream whether it was deleted or has ended, wherever its last event lies.</summary>
public sealed class TombstoneTests(ITestOutputHelper output)
{
    private static readonly string[] Streams = ["a", "b", "c", SameHash.Pairs[0].A, SameHash.Pairs[0].B];

    [Theory]
    [InlineData(Durability.Durable)]
    [InlineData(Durability.Mapped)]
    public async Task A_stream_that_has_ended_takes_nothing_whatever_is_expected(Durability durability)
    {
        var log = new Log(durability);
        await log.AppendAsync("s", "other");
        Assert.Equal(BatchFate.Written, (await log.TryAsync(StreamChange.Tombstone("s"), [])).Fate);
        foreach (var place in log.Places())
        {
            await place();
            foreach (var expected in new[] { ExpectedRevision.Any, ExpectedRevision.NoStream, ExpectedRevision.StreamExists, ExpectedRevision.Exactly(1), ExpectedRevision.Exactly(9) })
            {
                var refused = await log.TryAsync(Batch("s"), [new StreamExpectation("s", expected)]);
                Assert.Equal(BatchFate.Tombstoned, refused.Fate);
                Assert.Equal(("s", 1L, StreamState.Tombstoned), (refused.Conflict!.Stream, refused.Conflict.ActualRevision, refused.Conflict.State));
            }

            Assert.Equal(BatchFate.Tombstoned, (await log.TryAsync(Batch("other", "s", "other"), [])).Fate);
            Assert.Equal(BatchFate.Tombstoned, (await log.TryAsync(Batch("other"), [new StreamExpectation("s", ExpectedRevision.Any)])).Fate);
            Assert.Equal(BatchFate.Tombstoned, (await log.TryAsync(StreamChange.Tombstone("s"), [])).Fate);
            Assert.Equal("s", (await Assert.ThrowsAsync<TombstoneException>(async () => await log.Writer().AppendAsync(Batch("other", "s")))).Stream);
            await log.AppendAsync("other");
        }

        // Nothing refused left anything behind.
        Assert.Equal(3 + log.Places().Length, log.End);
    }

    [Theory]
    [InlineData(Durability.Durable)]
    [InlineData(Durability.Mapped)]
    public async Task A_deleted_stream_counts_as_none_and_its_revisions_go_on(Durability durability)
    {
        foreach (var place in Enumerable.Range(0, new Log(durability).Places().Length))
        {
            var log = new Log(durability);
            await log.AppendAsync("s", "s");
            Assert.Equal(BatchFate.Written, (await log.TryAsync(StreamChange.Delete("s", StreamMetadata.None, 2), [new("s", ExpectedRevision.Exactly(1))])).Fate);
            await log.Places()[place]();

            var refused = await log.TryAsync(Batch("s"), [new("s", ExpectedRevision.StreamExists)]);
            Assert.Equal((BatchFate.UnexpectedRevision, 2L, StreamState.Deleted), (refused.Fate, refused.Conflict!.ActualRevision, refused.Conflict.State));
            Assert.Equal(BatchFate.UnexpectedRevision, (await log.TryAsync(Batch("s"), [new("s", ExpectedRevision.Exactly(1))])).Fate);
            Assert.Equal([3L], (await log.TryAsync(Batch("s"), [new("s", ExpectedRevision.NoStream)])).Revisions);
            Assert.Equal(BatchFate.UnexpectedRevision, (await log.TryAsync(Batch("s"), [new("s", ExpectedRevision.NoStream)])).Fate);
            Assert.Equal([4L], (await log.TryAsync(Batch("s"), [new("s", ExpectedRevision.StreamExists)])).Revisions);
        }
    }

    [Fact]
    public async Task A_repeat_of_what_came_before_the_tombstone_and_of_the_tombstone_gets_its_first_answer()
    {
        var store = NodeStore.Open(new SimulatedVolume(), "/kawa", "node-1", new StillTime());
        var writer = store.Create(Sample.Header()).OpenWriter(Guid.NewGuid(), new WriterMemory(100, 0));
        var (before, tombstone) = (Batch("s", "s"), StreamChange.Tombstone("s"));
        var named = StreamExpectations.Of(new StreamExpectation("s", ExpectedRevision.Any));
        foreach (var fate in new[] { BatchFate.Written, BatchFate.Repeated })
        {
            var first = await Sample.AppendAsync(writer, before, named);
            var second = await Sample.AppendAsync(writer, tombstone, named);
            Assert.Equal((fate, 0L, fate, 2L), (first.Fate, first.Position, second.Fate, second.Position));
            Assert.Equal([1L], first.Revisions);
            Assert.Equal([2L], second.Revisions);
        }

        // And an event refused is not remembered as one that is there.
        var refused = Batch("s");
        Assert.Equal(BatchFate.Tombstoned, (await Sample.AppendAsync(writer, refused, named)).Fate);
        Assert.Equal(BatchFate.Tombstoned, (await Sample.AppendAsync(writer, refused, named)).Fate);
    }

    [Fact]
    public async Task What_is_said_of_streams_is_known_as_by_a_dictionary()
    {
        var replay = int.TryParse(Environment.GetEnvironmentVariable("KAWA_SEED"), out var seed);
        for (var run = 0; run < (replay ? 1 : Environment.GetEnvironmentVariable("KAWA_SWEEP") == "full" ? 1000 : 30); run++)
        {
            seed = replay ? seed : Random.Shared.Next();
            output.WriteLine($"KAWA_SEED={seed}");
            var random = new Random(seed);
            var log = new Log(random.Next(2) == 0 ? Durability.Durable : Durability.Mapped);
            var model = Streams.ToDictionary(s => s, _ => (Last: -1L, State: StreamState.Live));
            for (var step = 0; step < 60; step++)
            {
                if (random.Next(4) == 0)
                {
                    await log.Places()[random.Next(log.Places().Length)]();
                }

                var stream = Streams[random.Next(Streams.Length)];
                var (last, state) = model[stream];
                var (batch, after) = random.Next(12) switch
                {
                    0 => (StreamChange.Tombstone(stream), StreamState.Tombstoned),
                    < 4 => (EventBatch.EncodeNamed([new EventData(stream, "$deleted", default)]), StreamState.Deleted),
                    _ => (Batch(stream), StreamState.Live),
                };
                var expected = random.Next(4) switch
                {
                    0 => ExpectedRevision.Any,
                    1 => ExpectedRevision.NoStream,
                    2 => ExpectedRevision.StreamExists,
                    _ => ExpectedRevision.Exactly(Math.Max(0, last)),
                };
                var allowed = expected.ToString() switch
                {
                    "any" => true,
                    "no stream" => last < 0 || state == StreamState.Deleted,
                    "an existing stream" => last >= 0 && state == StreamState.Live,
                    _ => last >= 0,
                };

                var outcome = await log.TryAsync(batch, [new StreamExpectation(stream, expected)]);

                var due = state == StreamState.Tombstoned ? BatchFate.Tombstoned : allowed ? BatchFate.Written : BatchFate.UnexpectedRevision;
                Assert.True(due == outcome.Fate, $"KAWA_SEED={seed}, step {step}: {stream} at {last}, {state}, expected {expected}: {outcome}");
                model[stream] = outcome.Fate == BatchFate.Written ? (last + 1, after) : (last, state);
                Assert.Equal(outcome.Fate == BatchFate.Written ? null : last, outcome.Conflict?.ActualRevision);
                foreach (var (name, is_) in model)
                {
                    Assert.Equal(new StreamEnd(is_.Last, is_.State, -1), log.Newest.EndOf(name));
                }
            }
        }
    }

    /// <summary>The writer looks at each event when its name is there, and names of metadata are longer than users' names.</summary>
    [Fact]
    public async Task The_longest_name_of_metadata_is_numbered_wherever_in_a_batch_it_begins()
    {
        var longest = new string('x', Limits.MaxNameBytes);
        for (var before = 15_000; before < 16_500; before += 8)
        {
            var log = new Log(Durability.Durable);
            var batch = EventBatch.EncodeNamed([new EventData("s", "t", new byte[before]), StreamMetadata.None.ToEvent(longest) with { Occurred = DateTimeOffset.UnixEpoch }]);
            Assert.Equal(BatchFate.Written, (await log.TryAsync(batch, [])).Fate);
            Assert.Equal(new StreamEnd(-1, StreamState.Live, 1), log.Newest.EndOf(longest));
        }
    }

    [Fact]
    public async Task Where_a_segment_ends_it_says_what_is_known_of_a_stream_and_of_its_metadata()
    {
        var log = new Log(Durability.Durable);
        await log.AppendAsync("s", "other", "s");
        Assert.Equal(new StreamEnd(1, StreamState.Live, -1), log.Newest.EndOf("s"));
        await log.TryAsync(StreamChange.SetMetadata("s", StreamMetadata.None), []);
        await log.AppendAsync("s");
        foreach (var place in log.Places())
        {
            await place();
            Assert.Equal(new StreamEnd(2, StreamState.Live, 3), log.Newest.EndOf("s"));
            Assert.Equal(new StreamEnd(0, StreamState.Live, -1), log.Newest.EndOf("other"));
            Assert.Equal(new StreamEnd(-1, StreamState.Live, -1), log.Newest.EndOf("never"));
        }
    }

    [Fact]
    public async Task The_first_event_recorded_since_a_time_is_found()
    {
        var log = new Log(Durability.Durable);
        for (var i = 0; i < 20; i++)
        {
            log.Time.Advance(TimeSpan.FromSeconds(1));
            await log.AppendAsync("s", "other", "s");
        }

        var all = Sample.ReadAll(log.Newest).Where(e => e.Stream == "s").ToList();
        foreach (var e in all)
        {
            Assert.Equal(all.First(other => other.Recorded == e.Recorded).Revision, log.Newest.FirstSince("s", e.Recorded.UtcTicks));
            Assert.Equal(all.Count(other => other.Recorded <= e.Recorded), log.Newest.FirstSince("s", e.Recorded.UtcTicks + 1));
        }

        Assert.Equal(0, log.Newest.FirstSince("s", 0));
        Assert.Equal(40, log.Newest.FirstSince("s", long.MaxValue));
        Assert.Equal(0, log.Newest.FirstSince("never", 0));
    }

    [Fact]
    public async Task Waiting_for_a_stream_ends_with_its_event_and_not_with_those_of_others()
    {
        var log = new Log(Durability.Durable);
        await log.AppendAsync("s");
        await log.Newest.WaitForStreamAsync("s", 0, TimeSpan.FromDays(1), CancellationToken.None);
        var waits = log.Newest.WaitForStreamAsync("s", 1, TimeSpan.FromDays(1), CancellationToken.None).AsTask();
        await log.AppendAsync("other", "other");
        await log.AppendAsync("other");
        Assert.False(waits.IsCompleted);
        await log.AppendAsync("s");
        await waits;
        var ends = log.Newest.WaitForStreamAsync("s", 2, TimeSpan.FromDays(1), CancellationToken.None).AsTask();
        log.Roll();
        await ends;
    }

    private static EventBatch Batch(params string[] streams) => EventBatch.Encode([.. streams.Select(s => new EventData(s, "happened", default))]);

    /// <summary>A log of one node that is brought to wherever a stream's last event may lie.</summary>
    private sealed class Log
    {
        private readonly Durability _durability;
        private SimulatedVolume _volume = new();
        private NodeStore _store;
        private SegmentWriter? _writer;
        private int _epoch;

        public Log(Durability durability)
        {
            _durability = durability;
            _store = Open();
            Roll();
        }

        public StillTime Time { get; } = new();

        public Segment Newest => _store.CurrentWriteSegment(Sample.LogId)!;

        public long End => Newest.Tail.Position;

        /// <summary>Steps after each of which the writer knows as much as before.</summary>
        public Func<Task>[] Places() =>
        [
            () => Task.CompletedTask,
            () => Restart(_volume.AfterKill()),
            CheckpointAndRestart,
            () => { Roll(); return Task.CompletedTask; },
            () => { Settle(); return Task.CompletedTask; },
            () => { Roll(); Settle(); return Restart(_volume.AfterKill()); },
            () => { Roll(); Roll(); Settle(); return Task.CompletedTask; },
            WithRunsOnly,
        ];

        public SegmentWriter Writer() => _writer ??= Newest.OpenWriter(Guid.NewGuid(), _durability);

        public async Task AppendAsync(params string[] streams) => await Writer().AppendAsync(Batch(streams));

        public async Task<BatchOutcome> TryAsync(EventBatch batch, StreamExpectation[] expected)
        {
            using var block = EventBlock.Parse(batch.Bytes);
            var appended = await Writer().AppendAsync(block, null, [StreamExpectations.Of(expected)]);
            return Assert.Single(appended.Outcomes!);
        }

        public void Roll()
        {
            var current = _store.CurrentWriteSegment(Sample.LogId);
            var end = current?.Fence(1).Position ?? 0;
            current?.Seal(end);
            _epoch++;
            var header = Sample.Header(Id(_epoch), basePosition: end, epoch: _epoch) with { Predecessor = _epoch == 1 ? null : Id(_epoch - 1) };
            _writer = _store.Create(header).OpenWriter(Guid.NewGuid(), _durability);
        }

        private static Guid Id(int epoch) => new(epoch, 7, 7, new byte[8]);

        private async Task CheckpointAndRestart()
        {
            await Workload.CheckpointAsync(_store, Writer());
            await Restart(_volume.AfterKill());
        }

        private void Settle()
        {
            foreach (var segment in _store.Segments)
            {
                segment.WriteFooter();
            }

            _store.MergeHeads();
        }

        /// <summary>The runs outlive the events.</summary>
        private Task WithRunsOnly()
        {
            Roll();
            Settle();
            foreach (var segment in _store.Segments.Where(s => s.State == SegmentState.Sealed).ToList())
            {
                _store.SetAside(segment, "the test wants so");
            }

            return Restart(_volume.AfterKill());
        }

        private Task Restart(SimulatedVolume volume)
        {
            _volume = volume;
            _store = Open();
            _writer = null;
            return Task.CompletedTask;
        }

        private NodeStore Open() => NodeStore.Open(_volume, "/kawa", "node-1", Time, Workload.CheckpointIntervalBytes);
    }
}
