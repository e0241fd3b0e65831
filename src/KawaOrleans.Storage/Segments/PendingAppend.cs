namespace KawaOrleans.Storage.Segments;

/// <summary>A batch, or a flush (no batch), on its way to disk.</summary>
internal sealed class PendingAppend(EventBatch? batch, StreamExpectations? expected = null)
{
    private readonly TaskCompletionSource<AppendedBatch> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AppendedBatch _place;
    private StorageException? _refusal;

    public EventBatch? Batch { get; } = batch;

    /// <summary>What it expects of streams; null: nothing, and nobody asks for its revisions.</summary>
    public StreamExpectations? Expected { get; } = expected;

    /// <summary>The revisions of its events. To be read once the task is completed.</summary>
    public long[] Revisions { get; set; } = [];

    /// <summary>Why it was not written, or null. To be read once the task is completed.</summary>
    public StreamConflict? Conflict { get; set; }

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
