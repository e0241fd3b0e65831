using KawaOrleans.Storage.Recovery;

namespace KawaOrleans.Storage.Tests.Simulation;

/// <summary>What a node does to its disk in a crash test: numbered events in batches, through one segment or two. It notes on the
/// volume whatever it was told, so that a crash at any later moment can be held against it.</summary>
internal sealed class Workload(SimulatedVolume volume, StillTime time)
{
    public const string Directory = "/kawa";
    public const string NodeName = "node-1";
    public const long CheckpointIntervalBytes = 2048;

    public static readonly Guid FirstId = new("30000000-0000-0000-0000-000000000001");
    public static readonly Guid SecondId = new("30000000-0000-0000-0000-000000000002");

    /// <summary>Numbers of the first event of each batch given, and behind the last: a log may end only there.</summary>
    public List<int> Boundaries { get; } = [0];

    private int Given => Boundaries[^1];

    /// <summary>Checkpoints come often, so that some open a group of events.</summary>
    public NodeStore OpenStore() => NodeStore.Open(volume, Directory, NodeName, time, CheckpointIntervalBytes);

    /// <summary>Single events, batches, concurrent batches that share a group, a large batch, checkpoints.</summary>
    public async Task AppendAsync()
    {
        var store = OpenStore();
        var writer = Create(store, FirstId, basePosition: 1000).OpenWriter(Guid.NewGuid());
        await AppendAsync(writer, 1);
        await AppendAsync(writer, 4);
        await AppendAsync(writer, 1, 3, 1, 2);
        await CheckpointAsync(store, writer);
        await AppendAsync(writer, 20);
        await AppendAsync(writer, 1, 1, 5);
        await CheckpointAsync(store, writer);
        await CheckpointAsync(store, writer);
        await AppendAsync(writer, 2);
        store.Dispose();
    }

    /// <summary>Appends, then everything that a roll does, in the order of a primary: spare, fence, claim, chain, opening, the first
    /// append there; the end of the old segment is sealed behind it.</summary>
    /// <param name="spareFor">The segment that the spare was made for: the one that claims it, or another.</param>
    public async Task RollAsync(Guid spareFor)
    {
        var store = OpenStore();
        var first = Create(store, FirstId, basePosition: 1000);
        var writer = first.OpenWriter(Guid.NewGuid());
        await AppendAsync(writer, 1, 2);
        await CheckpointAsync(store, writer);
        await AppendAsync(writer, 17);
        store.PrepareSpare(Sample.LogId, spareFor, Limits.MinSegmentBytes);
        store.WriteSpareThrough(Sample.LogId);
        store.SaveChain(new SavedChain(Sample.LogId, "orders", 1, new byte[] { 1 }));
        volume.Note("chain 1");
        var tail = first.Fence(savedChainVersion: 1);
        volume.Note("fenced");
        var second = Create(store, SecondId, tail.Position);
        store.SaveChain(new SavedChain(Sample.LogId, "orders", 2, new byte[] { 2 }));
        volume.Note("chain 2");
        var next = second.OpenWriter(Guid.NewGuid());
        await AppendAsync(next, 3);
        first.Seal(tail.Position);
        first.WriteFooter();
        store.MergeHeads();
        volume.Note("sealed");
        await AppendAsync(next, 1, 1);
        store.PrepareSpare(Sample.LogId, new Guid("30000000-0000-0000-0000-000000000003"), Limits.MinSegmentBytes);
        store.SaveChain(new SavedChain(Sample.LogId, "orders", 3, new byte[3000]));
        volume.Note("chain 3");
        store.Dispose();
    }

    /// <summary>The same through maps: what was acknowledged is in the page cache, what was flushed is on disk. Checkpoints come
    /// with a flush behind them and without.</summary>
    public async Task MappedAsync()
    {
        var store = OpenStore();
        var first = Create(store, FirstId, basePosition: 1000, Durability.Mapped);
        var writer = first.OpenWriter(Guid.NewGuid(), Durability.Mapped);
        await AppendAsync(writer, 1, 4);
        first.CheckpointIfIdle(TimeSpan.Zero);
        await AppendAsync(writer, 3, 1);
        await FlushAsync(writer);
        await AppendAsync(writer, 20, 2);
        first.CheckpointIfIdle(TimeSpan.Zero);
        await AppendAsync(writer, 1, 3);
        store.PrepareSpare(Sample.LogId, SecondId, Limits.MinSegmentBytes, Durability.Mapped);
        var tail = first.Fence(savedChainVersion: 1);
        volume.Note($"flushed {Given}");
        volume.Note("fenced");
        var second = Create(store, SecondId, tail.Position, Durability.Mapped);
        first.Seal(tail.Position);
        first.WriteFooter();
        store.MergeHeads();
        volume.Note("sealed");
        var next = second.OpenWriter(Guid.NewGuid(), Durability.Mapped);
        await AppendAsync(next, 2, 8);
        second.CheckpointIfIdle(TimeSpan.Zero);
        await AppendAsync(next, 1);
        store.Dispose();
        volume.Note($"flushed {Given}");
    }

    /// <summary>Has all that was appended on disk.</summary>
    public async Task FlushAsync(SegmentWriter writer)
    {
        await writer.FlushAsync();
        volume.Note($"flushed {Given}");
    }

    /// <summary>One more acknowledged batch, after a recovery.</summary>
    public async Task AppendAsync(SegmentWriter writer, params int[] batchSizes)
    {
        var appends = new List<Task>();
        lock (writer.Segment.WriteGate)
        {
            // No group begins before all are given: the same groups in every run.
            foreach (var size in batchSizes)
            {
                var first = Given;
                Boundaries.Add(first + size);
                appends.Add(AcknowledgeAsync(writer, first, size));
            }
        }

        await Task.WhenAll(appends);
    }

    /// <summary>As the idle timer does; repeated while the writer has not come to rest from the append before, so that every run
    /// has the same checkpoints.</summary>
    public static async Task CheckpointAsync(NodeStore store, SegmentWriter writer)
    {
        for (var tries = 0; tries < 100 && HasUncovered(writer.Segment); tries++)
        {
            foreach (var segment in store.Segments)
            {
                segment.CheckpointIfIdle(TimeSpan.Zero);
            }

            await writer.FlushAsync();
        }
    }

    private static bool HasUncovered(Segment segment)
    {
        var found = SegmentRecovery.Find(segment.WritableFile, segment.Header, mapped: false, powerWasLost: false);
        return found.CoveredPositions < found.Positions.Count;
    }

    private async Task AcknowledgeAsync(SegmentWriter writer, int first, int size)
    {
        var batch = Sample.Batch(first, size, DataBytes(first));
        volume.Unstamped = batch.Bytes.ToArray();
        var appended = await writer.AppendAsync(batch);
        Assert.Equal(1000 + first, appended.First);
        volume.Note($"acknowledged {first + size}");
    }

    public static int DataBytes(int firstOfBatch) => firstOfBatch % 4 == 0 ? 700 : 60;

    private Segment Create(NodeStore store, Guid id, long basePosition, Durability durability = Durability.Durable)
    {
        var segment = store.Create(
            Sample.Header(id, Limits.MinSegmentBytes, basePosition) with { Predecessor = id == FirstId ? null : FirstId }, durability);
        volume.Note(id == FirstId ? "created first" : "created second");
        return segment;
    }
}
