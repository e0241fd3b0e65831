namespace KawaOrleans.Storage.Segments;

/// <summary>Batches, or a flush (no bytes), on their way to disk.</summary>
internal sealed class PendingAppend(ReadOnlyMemory<byte> bytes, EventBlock? block = null, long? retrySince = null)
{
    private readonly TaskCompletionSource<AppendedBatch> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AppendedBatch _place;
    private StorageException? _refusal;

    /// <summary>The frames of all batches.</summary>
    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    /// <summary>The same, to be decided of batch by batch; null: all of it is written.</summary>
    public EventBlock? Block { get; } = block;

    /// <summary>Of a repeated call: a position that the log had reached when it was first made.</summary>
    public long? RetrySince { get; } = retrySince;

    /// <summary>What became of each batch; null when all were written. To be read once the task is completed.</summary>
    public BatchOutcome[]? Outcomes { get; set; }

    public Task<AppendedBatch> Task => _completion.Task;

    /// <summary>Notes where the batch will be; told when the group is on disk.</summary>
    public void Place(AppendedBatch place) => _place = place;

    /// <summary>Notes that it will not be written; told in its turn.</summary>
    public void Refuse(StorageException refusal) => _refusal = refusal;

    public void Complete()
    {
        if (_refusal is null)
        {
            _completion.TrySetResult(_place);
        }
        else
        {
            _completion.TrySetException(_refusal);
        }
    }

    public void Fail(StorageException reason) => _completion.TrySetException(_refusal ?? reason);
}
