namespace KawaOrleans.Client;

/// <summary>A batch that has no outcome yet, and whoever waits for it: told here and now if <paramref name="goesOnHere"/>, else on a thread
/// of the pool.</summary>
internal sealed class PendingBatch(EventBatch batch, bool goesOnHere) : TaskCompletionSource<Appended>, IThreadPoolWorkItem
{
    private static readonly Appended NotWritten = new(-1, 0, default);

    private Appended? _appended;
    private Exception? _reason;
    private CancellationToken _cancelled;
    private volatile bool _isGivenUp;

    public EventBatch Batch { get; } = batch;

    /// <summary>What it expects of streams; null: nothing.</summary>
    public StreamExpectations? Expected { get; init; }

    /// <summary>Set before the task completes: a stream was not as expected, nothing was written, and the task's result means nothing. No exception,
    /// because among many writers of one stream this is the usual outcome.</summary>
    public AppendResult? Conflict { get; private set; }

    public int Bytes => Batch.Bytes.Length;

    /// <summary>When it was given, of a batch that came while the log gave no answers; 0 for any other.</summary>
    public long Given { get; init; }

    /// <summary>True if whoever waits goes on upon the thread that tells him: nobody else waits for that thread.</summary>
    public bool GoesOnHere { get; set; } = goesOnHere;

    /// <summary>Completes when there is room for it; null when nobody asks.</summary>
    public TaskCompletionSource? Taken { get; set; }

    /// <summary>True when it need not be sent any more: who waited for it gave up.</summary>
    public bool IsGivenUp => _isGivenUp || Task.IsCompleted || Taken?.Task.IsCanceled == true;

    public void Tell(Appended appended)
    {
        _appended = appended;
        Tell();
    }

    public void Tell(AppendResult conflict)
    {
        Conflict = conflict;
        Tell(NotWritten);
    }

    public void Refuse(Exception reason)
    {
        _reason = reason;
        Tell();
    }

    /// <summary>Nobody waits for it any more.</summary>
    public void GiveUp(CancellationToken cancelled)
    {
        // Whoever cancels does not run the code of who waited.
        (_cancelled, _isGivenUp) = (cancelled, true);
        ThreadPool.UnsafeQueueUserWorkItem(static batch => batch.TrySetCanceled(batch._cancelled), this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        if (_reason is null)
        {
            TrySetResult(_appended!);
        }
        else if (TrySetException(_reason))
        {
            // Nobody has to look at it.
            _ = Task.Exception;
        }
    }

    private void Tell()
    {
        if (GoesOnHere)
        {
            ((IThreadPoolWorkItem)this).Execute();
        }
        else
        {
            // The common queue, first in first out: what is queued after the callers of a block runs when all of them have gone on.
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }
}
