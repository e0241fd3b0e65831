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
        volume.Note("sealed");
        await AppendAsync(next, 1, 1);
        store.PrepareSpare(Sample.LogId, new Guid("30000000-0000-0000-0000-000000000003"), Limits.MinSegmentBytes);
        store.SaveChain(new SavedChain(Sample.LogId, "orders", 3, new byte[3000]));
        volume.Note("chain 3");
        store.Dispose();
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

    /// <summary>As the idle timer does.</summary>
    public static async Task CheckpointAsync(NodeStore store, SegmentWriter writer)
    {
        foreach (var segment in store.Segments)
        {
            segment.CheckpointIfIdle(TimeSpan.Zero);
        }

        await writer.FlushAsync();
    }

    private async Task AcknowledgeAsync(SegmentWriter writer, int first, int size)
    {
        var appended = await writer.AppendAsync(Sample.Batch(first, size, DataBytes(first)));
        Assert.Equal(1000 + first, appended.First);
        volume.Note($"acknowledged {first + size}");
    }

    public static int DataBytes(int firstOfBatch) => firstOfBatch % 4 == 0 ? 700 : 60;

    private Segment Create(NodeStore store, Guid id, long basePosition)
    {
        var segment = store.Create(Sample.Header(id, Limits.MinSegmentBytes, basePosition));
        volume.Note(id == FirstId ? "created first" : "created second");
        return segment;
    }
}
