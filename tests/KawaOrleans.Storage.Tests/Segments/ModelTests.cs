using KawaOrleans.Storage.Tests.Simulation;
using Xunit.Abstractions;

namespace KawaOrleans.Storage.Tests.Segments;

/// <summary>A log against a plain list: random appends, reads, checkpoints, rolls, restarts, kills and power losses, some of them with
/// appends in flight. Half of the runs are mapped: a power loss may take what was not flushed. A new seed in every run, printed; <c>KAWA_SEED=n</c> replays one, <c>KAWA_SWEEP=full</c> tries 500.</summary>
public sealed class ModelTests(ITestOutputHelper output)
{
    private const int Steps = 60;

    [Fact]
    public async Task A_log_holds_what_a_list_holds_whatever_is_done_to_it()
    {
        var full = Environment.GetEnvironmentVariable("KAWA_SWEEP") == "full";
        var replay = int.TryParse(Environment.GetEnvironmentVariable("KAWA_SEED"), out var seed);
        for (var run = 0; run < (replay ? 1 : full ? 500 : 8); run++)
        {
            seed = replay ? seed : Random.Shared.Next();
            output.WriteLine($"KAWA_SEED={seed}");
            try
            {
                await new Run(seed).GoAsync();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"KAWA_SEED={seed}: {e.Message}", e);
            }
        }
    }

    private sealed class Run
    {
        private readonly Random _random;
        private readonly StillTime _time = new();
        private readonly List<(int Number, int DataBytes)> _model = [];
        private SimulatedVolume _volume = new();
        private NodeStore _store;
        private readonly Durability _durability;
        private readonly HashSet<int> _batchEnds = [0];
        private SegmentWriter? _writer;
        private int _given;
        private int _onDisk;
        private long _epoch = 1;

        public Run(int seed)
        {
            _random = new Random(seed);
            _durability = (Durability)_random.Next(2);
            _store = Open();
            Roll();
        }

        public async Task GoAsync()
        {
            for (var step = 0; step < Steps; step++)
            {
                _time.Advance(TimeSpan.FromSeconds(_random.Next(3)));
                await SettleAsync();
                switch (_random.Next(12))
                {
                    case < 5:
                        await AppendAsync();
                        break;
                    case 5:
                        ReadSomewhere();
                        break;
                    case 6:
                        await Workload.CheckpointAsync(_store, Writer());
                        await Writer().FlushAsync();
                        _onDisk = _model.Count;
                        break;
                    case 7:
                        Roll();
                        break;
                    case 8:
                        _store.Dispose();
                        Restart(_volume, _model.Count);
                        break;
                    case 9:
                        Restart(_volume.AfterKill(), _model.Count);
                        break;
                    case 10:
                        Restart(Reboot.Of(_volume.AfterPowerLoss(AnySurvival())), _onDisk);
                        break;
                    default:
                        await CrashInFlightAsync();
                        break;
                }

                Compare();
            }
        }

        /// <summary>Waits for what goes on in the background, so that a seed does the same in every run.</summary>
        private async Task SettleAsync()
        {
            if (_durability == Durability.Durable)
            {
                await (_writer?.FlushAsync() ?? default);
                _onDisk = _model.Count;
            }

            foreach (var segment in _store.Segments)
            {
                segment.WriteFooter();
            }

            _store.MergeHeads();
        }

        private async Task AppendAsync()
        {
            var batch = NextBatch();
            try
            {
                var appended = await Writer().AppendAsync(Encode(batch));
                Assert.Equal(_model.Count, appended.First);
                Take(batch);
            }
            catch (SegmentFullException)
            {
                Roll();
            }
        }

        /// <summary>Several batches given, and the machine stops at some moment: a prefix of them is there, whole.</summary>
        private async Task CrashInFlightAsync()
        {
            var batches = Enumerable.Range(0, _random.Next(1, 5)).Select(_ => NextBatch()).ToList();
            var writer = Writer();
            var start = _volume.RecordFromHere();
            foreach (var append in batches.Select(b => writer.AppendAsync(Encode(b)).AsTask()).ToList())
            {
                try
                {
                    await append;
                }
                catch (SegmentFullException)
                {
                }
            }

            var operations = _volume.Recorded!.ToList();
            var crash = _random.Next(operations.Count + 1);
            operations.Take(crash).ToList().ForEach(start.Apply);
            (int File, int Offset, byte[] Bytes)? arrived = null;
            if (crash < operations.Count && operations[crash] is { Kind: OperationKind.Write or OperationKind.Store } write)
            {
                arrived = (write.File, write.Offset, write.Bytes![..Math.Min(write.Bytes.Length, (512 * _random.Next(20)) - (write.Offset % 512) + 512)]);
            }

            var killed = _random.Next(2) == 0;
            var known = killed ? _model.Count : _onDisk;
            batches.ForEach(Take);
            Restart(killed ? start.AfterKill(arrived) : Reboot.Of(start.AfterPowerLoss(AnySurvival(), arrived)), known);
        }

        private void Compare()
        {
            Assert.Empty(_store.Untrusted);
            var next = 0L;
            var revisions = new Dictionary<string, long>();
            foreach (var segment in _store.Segments.OrderBy(s => s.Header.Identity.Epoch))
            {
                Assert.Equal(next, segment.Header.BasePosition);
                foreach (var e in Sample.ReadAll(segment, next, maxBytes: _random.Next(1, 20_000)))
                {
                    Assert.Equal(next, e.Position);
                    Sample.AssertIs(_model[(int)next].Number, e, _model[(int)next].DataBytes);
                    Assert.Equal(revisions.GetValueOrDefault(e.Stream), e.Revision);
                    revisions[e.Stream] = e.Revision + 1;
                    next++;
                }
            }

            Assert.Equal(_model.Count, next);
        }

        private void ReadSomewhere()
        {
            var position = _random.NextInt64(_model.Count + 5);
            var found = _store.Segments.Select(s => s.TryRead(position, out var e) ? e : null).Where(e => e is not null).ToList();
            if (position < _model.Count)
            {
                Sample.AssertIs(_model[(int)position].Number, Assert.Single(found)!, _model[(int)position].DataBytes);
            }
            else
            {
                Assert.Empty(found);
            }
        }

        private void Roll()
        {
            var current = _store.CurrentWriteSegment(Sample.LogId);
            var end = current?.Fence(1).Position ?? 0;
            current?.Seal(end);
            current?.WriteFooter();
            _store.Create(Sample.Header(new Guid((int)_epoch, 7, 7, new byte[8]), basePosition: end, epoch: _epoch) with { Predecessor = current?.Header.Identity.Id });
            _epoch++;
            _writer = null;
            _onDisk = _model.Count;
        }

        /// <summary>Of what was given, at least the events known to be safe are there, and no batch in part.</summary>
        private void Restart(SimulatedVolume volume, int safe)
        {
            _volume = volume;
            _store = Open();
            _writer = null;
            foreach (var segment in _store.Segments)
            {
                segment.WriteFooter();
            }

            var found = (int)_store.Segments.Max(static s => s.Tail.Position);
            Assert.InRange(found, safe, _model.Count);
            Assert.Contains(found, _batchEnds);
            _model.RemoveRange(found, _model.Count - found);
            _batchEnds.RemoveWhere(end => end > found);
            _onDisk = found;
            if (_store.CurrentWriteSegment(Sample.LogId) is { LostPower: true })
            {
                Roll();
            }
        }

        private void Take(List<(int Number, int DataBytes)> batch)
        {
            _model.AddRange(batch);
            _batchEnds.Add(_model.Count);
        }

        private SegmentWriter Writer() => _writer ??= _store.CurrentWriteSegment(Sample.LogId)!.OpenWriter(Guid.NewGuid(), _durability);

        private NodeStore Open() => NodeStore.Open(_volume, "/kawa", "node-1", _time, Workload.CheckpointIntervalBytes);

        private List<(int Number, int DataBytes)> NextBatch()
        {
            var bytes = _random.Next(5) == 0 ? 5000 : _random.Next(200);
            return [.. Enumerable.Range(0, _random.Next(1, 6)).Select(_ => (_given++, bytes))];
        }

        private static EventBatch Encode(List<(int Number, int DataBytes)> batch) =>
            EventBatch.Encode([.. batch.Select(b => Sample.Event(b.Number, b.DataBytes))]);

        private Survival AnySurvival() => _random.Next(4) switch
        {
            0 => Survival.None,
            1 => Survival.All,
            2 => Survival.Some(_random.Next(), 1),
            _ => Survival.Some(_random.Next(), 8),
        };
    }
}
