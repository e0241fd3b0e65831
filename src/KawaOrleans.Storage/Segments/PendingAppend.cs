using System.Threading.Tasks.Sources;

namespace KawaOrleans.Storage.Segments;

/// <summary>A batch, or a flush (no batch), on its way to disk. Used again once its caller has taken the outcome.</summary>
/// <remarks>
/// Invariants: it completes exactly once, and whoever completes it does not touch it afterwards: its caller may already have sent it
/// on its way with another batch. A caller that never takes the outcome leaves it to the collector.
/// </remarks>
internal sealed class PendingAppend(PendingAppends home) : IValueTaskSource<AppendedBatch>
{
    // Callers run on the thread pool, not on the thread that writes groups.
    private ManualResetValueTaskSourceCore<AppendedBatch> _outcome = new() { RunContinuationsAsynchronously = true };
    private AppendedBatch _place;
    private StorageException? _refusal;

    public EventBatch? Batch { get; private set; }

    /// <summary>The outcome, to be awaited once, as any <see cref="ValueTask{TResult}"/>.</summary>
    public ValueTask<AppendedBatch> Outcome => new(this, _outcome.Version);

    public void Begin(EventBatch? batch) => Batch = batch;

    /// <summary>Notes where the batch will be; told when the group is on disk.</summary>
    public void Place(AppendedBatch place) => _place = place;

    /// <summary>Notes that it will not be written; told in its turn.</summary>
    public void Refuse(StorageException refusal) => _refusal = refusal;

    public void Complete()
    {
        if (_refusal is null)
        {
            _outcome.SetResult(_place);
        }
        else
        {
            _outcome.SetException(_refusal);
        }
    }

    public void Fail(StorageException reason) => _outcome.SetException(_refusal ?? reason);

    AppendedBatch IValueTaskSource<AppendedBatch>.GetResult(short token)
    {
        try
        {
            return _outcome.GetResult(token);
        }
        finally
        {
            // Not for a token of an earlier use, nor before the outcome is there: GetResult has then thrown and nothing was taken.
            if (token == _outcome.Version && _outcome.GetStatus(token) != ValueTaskSourceStatus.Pending)
            {
                _outcome.Reset();
                Batch = null;
                _place = default;
                _refusal = null;
                home.Return(this);
            }
        }
    }

    ValueTaskSourceStatus IValueTaskSource<AppendedBatch>.GetStatus(short token) => _outcome.GetStatus(token);

    void IValueTaskSource<AppendedBatch>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _outcome.OnCompleted(continuation, state, token, flags);
}
