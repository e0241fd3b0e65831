namespace KawaOrleans.Storage;

/// <summary>The one write handle of a segment. Batches given concurrently share writes and syncs (group commit) and take
/// positions in the order given.</summary>
public sealed class SegmentWriter
{
    /// <summary>Appends the batch, all or nothing; completes when it is on disk. The memory of the batch must not change before.</summary>
    /// <exception cref="SegmentFullException">No room; nothing written.</exception>
    /// <exception cref="WriterFencedException">Ended or another writer; nothing written.</exception>
    /// <exception cref="SegmentPoisonedException">A write or sync failed: the outcome is unknown until recovery.</exception>
    public ValueTask<AppendedBatch> AppendAsync(EventBatch batch) => throw new NotImplementedException();

    /// <summary>Completes when everything appended before is on disk.</summary>
    public ValueTask FlushAsync() => throw new NotImplementedException();

    /// <summary>True when a batch of this size still fits.</summary>
    public bool HasRoomFor(int batchBytes) => throw new NotImplementedException();

    /// <summary>True once three quarters are used: time to prepare the next file.</summary>
    public bool IsThreeQuartersFull => throw new NotImplementedException();
}
