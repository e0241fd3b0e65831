namespace KawaOrleans.Client;

/// <summary>A batch that has no outcome yet, and whoever waits for it.</summary>
internal sealed class PendingBatch(EventBatch batch, TaskCreationOptions creation) : TaskCompletionSource<Appended>(creation)
{
    public EventBatch Batch { get; } = batch;

    public int Bytes => Batch.Bytes.Length;

    /// <summary>Completes when there is room for it; null when nobody asks.</summary>
    public TaskCompletionSource? Taken { get; set; }

    /// <summary>True when it need not be sent any more: who waited for it gave up.</summary>
    public bool IsGivenUp => Task.IsCompleted || Taken?.Task.IsCanceled == true;

    public void Refuse(Exception reason)
    {
        if (TrySetException(reason))
        {
            // Nobody has to look at it.
            _ = Task.Exception;
        }
    }
}
