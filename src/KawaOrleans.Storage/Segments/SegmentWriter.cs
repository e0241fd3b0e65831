namespace KawaOrleans.Storage;

/// <summary>What an acknowledged append survives.</summary>
public enum Durability
{
    /// <summary>Power loss: it is on disk. Each acknowledgement waits for a sync, which concurrent appends share.</summary>
    Durable = 0,

    /// <summary>The death of the process, not power loss: it is in the operating system's page cache. Some thirty times faster.
    /// After a power loss the segment says that acknowledged events may be missing and is never resumed.</summary>
    Mapped = 1,
}

/// <summary>The one write handle of a segment. Batches given concurrently take positions in the order given.</summary>
public abstract class SegmentWriter
{
    private protected SegmentWriter(Segment segment) => Segment = segment;

    /// <summary>True once a quarter is used: time to prepare the next file.</summary>
    public abstract bool IsQuarterFull { get; }

    /// <summary>What it writes.</summary>
    internal Segment Segment { get; }

    /// <summary>The running content hash; meaningful once no write is in flight.</summary>
    internal abstract ulong ContentHash { get; }

    /// <summary>Appends the batch, all or nothing; completes when it is as durable as the segment was opened for. The memory of
    /// the batch must not change before.</summary>
    /// <exception cref="SegmentFullException">No room; nothing written.</exception>
    /// <exception cref="WriterFencedException">Ended or another writer; nothing written.</exception>
    /// <exception cref="SegmentPoisonedException">A write or sync failed: the outcome is unknown until recovery.</exception>
    /// <exception cref="TombstoneException">A stream of the batch has ended; nothing written. In a block it is the batch's outcome instead.</exception>
    public abstract ValueTask<AppendedBatch> AppendAsync(EventBatch batch);

    /// <summary>Appends the batches of a block, each all or nothing, in this order. A writer that remembers recent events
    /// (<see cref="WriterMemory"/>) writes none that is in the log already. The block must not be disposed before the outcome.</summary>
    /// <param name="block">The batches.</param>
    /// <param name="retrySince">Set when they may have been appended before: a position that the log had reached then.</param>
    /// <param name="expected">What each batch expects of streams, in order; null for one that expects nothing, or for all of them. A batch whose
    /// streams are not as it expects is not written, and the others are. Whoever is refused because of events not yet on
    /// disk is told once they are.</param>
    /// <inheritdoc cref="AppendAsync(EventBatch)" path="/exception"/>
    /// <exception cref="ArgumentException">Not one expectation for each batch.</exception>
    /// <exception cref="SegmentDamagedException">What the look-up of a stream rests on does not verify. Batches before the one that met it are
    /// written.</exception>
    public abstract ValueTask<AppendedBlock> AppendAsync(
        EventBlock block, long? retrySince = null, IReadOnlyList<StreamExpectations?>? expected = null);

    private protected static void RefuseUnlessOneForEach(EventBlock block, IReadOnlyList<StreamExpectations?>? expected)
    {
        ArgumentNullException.ThrowIfNull(block);
        if (expected is not null && expected.Count != block.BatchCount)
        {
            throw new ArgumentException($"{expected.Count} expectations for {block.BatchCount} batches.", nameof(expected));
        }
    }

    /// <summary>Appends one event; see <see cref="AppendAsync(EventBatch)"/>.</summary>
    /// <exception cref="BatchRefusedException">A name or a size is out of bounds.</exception>
    public ValueTask<AppendedBatch> AppendAsync(EventData newEvent) => AppendAsync(EventBatch.Of(newEvent));

    /// <summary>Completes when everything appended before is on disk, whatever the durability.</summary>
    public abstract ValueTask FlushAsync();

    /// <summary>True when a batch of this size still fits.</summary>
    public abstract bool HasRoomFor(int batchBytes);

    /// <summary>Refuses everything not yet begun, with this reason. The caller holds the segment's write gate, so no write is in flight.</summary>
    internal abstract void End(Func<StorageException> reason);

    /// <summary>After <see cref="End"/>: has everything written on disk. The caller holds the write gate.</summary>
    internal abstract void Settle();

    /// <summary>After <see cref="End"/>: covers what was written with a checkpoint, so that the next opening reads little.
    /// A failure here loses nothing: recovery reads more. The caller holds the write gate.</summary>
    internal abstract void LeaveCheckpoint();

    /// <summary>After <see cref="End"/>: lets go of the index, once the footer serves reads. The caller holds the write gate.</summary>
    internal abstract void Forget();

    /// <summary>Writes a checkpoint if events lie behind the last one and nobody has appended for so long.</summary>
    internal abstract void CheckpointIfIdle(TimeSpan idle);
}
