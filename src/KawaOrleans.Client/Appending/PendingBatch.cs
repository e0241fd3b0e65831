namespace KawaOrleans.Client;

/// <summary>A batch that has no outcome yet, and whoever waits for it.</summary>
internal sealed class PendingBatch(EventBatch batch, TaskCreationOptions creation) : TaskCompletionSource<Appended>(creation)
{
    private static readonly Appended NotWritten = new(-1, 0, default);

    public EventBatch Batch { get; } = batch;

    /// <summary>What it expects of streams; null: nothing.</summary>
    public StreamExpectations? Expected { get; init; }

    /// <summary>Set before the task completes: a stream was not as expected, nothing was written, and the task's result means nothing. No exception,
    /// because among many writers of one stream this is the usual outcome.</summary>
    public AppendResult? Conflict { get; private set; }

    public int Bytes => Batch.Bytes.Length;

    /// <summary>Completes when there is room for it; null when nobody asks.</summary>
    public TaskCompletionSource? Taken { get; set; }

    /// <summary>True when it need not be sent any more: who waited for it gave up.</summary>
    public bool IsGivenUp => Task.IsCompleted || Taken?.Task.IsCanceled == true;

    public void Tell(AppendResult conflict)
    {
        Conflict = conflict;
        TrySetResult(NotWritten);
    }

    public void Refuse(Exception reason)
    {
        if (TrySetException(reason))
        {
            // Nobody has to look at it.
            _ = Task.Exception;
        }
    }
}
