using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Streams;

/// <summary>Revisions are dense in every stream, whatever happens to segments and process.</summary>
public sealed class RevisionTests
{
    private readonly StillTime _time = new();
    private readonly Dictionary<string, long> _next = [];
    private SimulatedVolume _volume = new();
    private NodeStore _store;
    private SegmentWriter? _writer;
    private long _epoch;
    private int _number;

    public RevisionTests() => _store = Open();

    [Theory]
    [InlineData(Durability.Durable)]
    [InlineData(Durability.Mapped)]
    public async Task Revisions_go_on_across_rolls(Durability durability)
    {
        for (var segment = 0; segment < 6; segment++)
        {
            Roll(durability);
            await AppendAsync("a", "b", "a", $"only-{segment}");
        }

        AssertDense(24);
    }

    [Fact]
    public async Task Revisions_go_on_after_a_restart_from_checkpoints_and_from_frames()
    {
        Roll();
        for (var restart = 0; restart < 6; restart++)
        {
            await AppendAsync("a", "b");
            await Workload.CheckpointAsync(_store, Writer());
            await AppendAsync("a", "c", $"new-{restart}");
            Restart(restart % 2 == 0 ? _volume.AfterKill() : _volume.AfterPowerLoss(Survival.None));
        }

        AssertDense(30);
    }

    [Fact]
    public async Task Names_with_one_hash_are_numbered_apart_across_restarts_and_rolls()
    {
        var (a, b) = SameHash.Pairs[0];
        for (var segment = 0; segment < 4; segment++)
        {
            Roll();
            await AppendAsync(a);
            await AppendAsync(b, a);
            await Workload.CheckpointAsync(_store, Writer());
            Restart(_volume.AfterKill());
            await AppendAsync(b, b, a);
        }

        AssertDense(24);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Revisions_are_dense_over_many_segments_with_restarts_in_between(int seed)
    {
        var random = new Random(seed);
        var count = 0;
        for (var segment = 0; segment < 70; segment++)
        {
            Roll();
            for (var batch = random.Next(4); batch >= 0; batch--)
            {
                var streams = Enumerable.Range(0, 1 + random.Next(5)).Select(_ => $"s-{random.Next(60)}").ToArray();
                await AppendAsync(streams);
                count += streams.Length;
            }

            if (random.Next(6) == 0)
            {
                Restart(random.Next(2) == 0 ? _volume.AfterKill() : _volume.AfterPowerLoss(Survival.Some(random.Next(), 1)));
            }
        }

        AssertDense(count);
        Settle();
        Assert.InRange(_volume.Files(Folder).Count(HeadMerge.IsRun), 1, 8);
    }

    [Fact]
    public async Task After_a_roll_revisions_go_on_before_the_footer_is_there()
    {
        Roll();
        await AppendAsync("a", "a");
        var sealedOne = _store.CurrentWriteSegment(Sample.LogId)!;
        sealedOne.Fence(1);
        _store.Create(Sample.Header(new Guid(2, 7, 7, new byte[8]), basePosition: 2, epoch: 2) with { Predecessor = Id(1) });
        _writer = _store.Segments.Single(s => s.Header.BasePosition == 2).OpenWriter(Guid.NewGuid());
        await AppendAsync("a", "b");
        Assert.Equal(SegmentState.Fenced, sealedOne.State);
        AssertDense(4);
    }

    [Fact]
    public async Task What_was_written_beyond_the_end_of_its_segment_has_no_revision()
    {
        Roll();
        await AppendAsync("a");
        await AppendAsync("a", "b");
        var shorter = _store.CurrentWriteSegment(Sample.LogId)!;
        shorter.Fence(1);
        shorter.Seal(1);
        (_next["a"], _next["b"]) = (1, 0);
        _store.Create(Sample.Header(new Guid(2, 7, 7, new byte[8]), basePosition: 1, epoch: 2) with { Predecessor = Id(1) });
        _writer = null;
        await AppendAsync("a", "b");
        AssertDense(3);
    }

    [Fact]
    public async Task Without_the_segment_before_nothing_can_be_numbered()
    {
        Roll();
        await AppendAsync("a");
        Roll();
        Settle();
        _store.Dispose();
        foreach (var name in _volume.Files(Folder).Where(n => HeadMerge.IsRun(n) || n.StartsWith(new Guid(1, 7, 7, new byte[8]).ToString("N"), StringComparison.Ordinal)))
        {
            _volume.Delete(Path.Combine(Folder, name));
        }

        _store = Open();
        var e = Assert.Throws<HeadsMissingException>(() => _store.CurrentWriteSegment(Sample.LogId)!.OpenWriter(Guid.NewGuid()));
        Assert.Equal(1, e.Position);
    }

    [Fact]
    public async Task Runs_outlive_the_segments_they_were_made_of()
    {
        Roll();
        await AppendAsync("a", "b", "a");
        Roll();
        Settle();
        _store.SetAside(_store.Segments.Single(s => s.Header.BasePosition == 0), "the test wants so");
        Restart(_volume.AfterKill());
        await AppendAsync("a", "b", "c");
        Assert.Equal([2L, 1, 0], Sample.ReadAll(_store.Segments.Single(), from: 3).Select(e => e.Revision));
    }

    [Fact]
    public async Task A_run_that_rots_is_made_again()
    {
        for (var segment = 0; segment < 3; segment++)
        {
            Roll();
            await AppendAsync("a", "b");
        }

        Settle();
        foreach (var name in _volume.Files(Folder).Where(HeadMerge.IsRun))
        {
            _volume.Bytes(Path.Combine(Folder, name))[HeadRunLayout.PageBytes + 100] ^= 1;
        }

        Restart(_volume.AfterKill());
        await AppendAsync("a", "b");
        Roll();
        await AppendAsync("a", "b");
        AssertDense(10);
        Settle();
        Assert.Contains(_volume.Files(Folder), HeadMerge.IsRun);
    }

    [Fact]
    public async Task A_missing_run_is_made_again()
    {
        for (var segment = 0; segment < 40; segment++)
        {
            Roll();
            await AppendAsync("a", $"s-{segment % 5}");
        }

        Settle();
        _store.Dispose();
        _volume.Files(Folder).Where(HeadMerge.IsRun).ToList().ForEach(name => _volume.Delete(Path.Combine(Folder, name)));
        _store = Open();
        _writer = null;
        await AppendAsync("a", "s-1", "s-2");
        Settle();
        Assert.InRange(_volume.Files(Folder).Count(HeadMerge.IsRun), 1, 3);
        await AppendAsync("a", "s-3", "s-4");
        AssertDense(86);
    }

    [Fact]
    public async Task The_runs_go_with_the_log()
    {
        Roll();
        await AppendAsync("a");
        Roll();
        Settle();
        Assert.Contains(_volume.Files(Folder), HeadMerge.IsRun);
        foreach (var segment in _store.Segments)
        {
            _store.SetAside(segment, "the log is deleted");
        }

        Assert.DoesNotContain(_volume.Files(Folder), HeadMerge.IsRun);
    }

    private static Guid Id(long epoch) => new((int)epoch, 7, 7, new byte[8]);

    private static string Folder => $"/kawa/logs/{Sample.LogId:N}";

    private NodeStore Open() => NodeStore.Open(_volume, "/kawa", "node-1", _time, Workload.CheckpointIntervalBytes);

    private void Restart(SimulatedVolume volume)
    {
        _volume = volume;
        _store = Open();
        _writer = null;
    }

    private void Roll(Durability durability = Durability.Durable)
    {
        var current = _store.CurrentWriteSegment(Sample.LogId);
        var end = current?.Fence(1).Position ?? 0;
        current?.Seal(end);
        _epoch++;
        var header = Sample.Header(Id(_epoch), basePosition: end, epoch: _epoch) with { Predecessor = _epoch == 1 ? null : Id(_epoch - 1) };
        _writer = _store.Create(header).OpenWriter(Guid.NewGuid(), durability);
    }

    private void Settle()
    {
        foreach (var segment in _store.Segments)
        {
            segment.WriteFooter();
        }

        _store.MergeHeads();
    }

    private SegmentWriter Writer() => _writer ??= _store.CurrentWriteSegment(Sample.LogId)!.OpenWriter(Guid.NewGuid());

    private async Task AppendAsync(params string[] streams)
    {
        await Writer().AppendAsync(EventBatch.Encode([.. streams.Select(s => Sample.Event(_number++) with { Stream = s })]));
        foreach (var stream in streams)
        {
            _next[stream] = _next.GetValueOrDefault(stream) + 1;
        }
    }

    private void AssertDense(int events)
    {
        Assert.Empty(_store.Untrusted);
        var seen = new Dictionary<string, long>();
        var next = 0L;
        foreach (var segment in _store.Segments.OrderBy(s => s.Header.Identity.Epoch))
        {
            foreach (var e in Sample.ReadAll(segment, next))
            {
                Assert.Equal(next++, e.Position);
                Assert.Equal(seen.GetValueOrDefault(e.Stream), e.Revision);
                seen[e.Stream] = e.Revision + 1;
            }
        }

        Assert.Equal(events, next);
        Assert.Equal(_next.Where(n => n.Value > 0).OrderBy(n => n.Key, StringComparer.Ordinal), seen.OrderBy(n => n.Key, StringComparer.Ordinal));
    }
}
