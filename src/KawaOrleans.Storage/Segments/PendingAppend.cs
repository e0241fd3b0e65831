using System.Threading.Tasks.Sources;

namespace KawaOrleans.Storage.Segments;

/// <summary>Batches, or a flush (no bytes), on their way to disk. Used again once its caller has taken the outcome.</summary>
/// <remarks>
/// Invariants: it completes exactly once, and whoever completes it does not touch it afterwards: its caller may already have sent it
/// on its way with other batches. A caller that never takes the outcome leaves it to the collector.
/// </remarks>
internal sealed class PendingAppend(PendingAppends home) : IValueTaskSource<AppendedBatch>, IValueTaskSource<AppendedBlock>
{
    // Callers run on the thread pool, not on the thread that writes groups.
    private ManualResetValueTaskSourceCore<AppendedBlock> _outcome = new() { RunContinuationsAsynchronously = true };
    private AppendedBlock _placed;
    private StorageException? _refusal;

    /// <summary>The frames of all batches.</summary>
    public ReadOnlyMemory<byte> Bytes { get; private set; }

    /// <summary>The same, to be decided of batch by batch; null: all of it is written.</summary>
    public EventBlock? Block { get; private set; }

    /// <summary>Of a repeated call: a position that the log had reached when it was first made.</summary>
    public long? RetrySince { get; private set; }

    /// <summary>What each batch expects of streams; null: nothing.</summary>
    public IReadOnlyList<StreamExpectations?>? Expected { get; private set; }

    /// <summary>The outcome, to be awaited once, as any <see cref="ValueTask{TResult}"/>; either this or <see cref="BlockOutcome"/>.</summary>
    public ValueTask<AppendedBatch> Outcome => new(this, _outcome.Version);

    /// <summary>The same with what became of each batch of a block.</summary>
    public ValueTask<AppendedBlock> BlockOutcome => new(this, _outcome.Version);

    public void Begin(ReadOnlyMemory<byte> bytes, EventBlock? block, long? retrySince, IReadOnlyList<StreamExpectations?>? expected) =>
        (Bytes, Block, RetrySince, Expected) = (bytes, block, retrySince, expected);

    /// <summary>Notes where the events written will be, and what became of each batch; told when the group is on disk.</summary>
    public void Place(AppendedBlock block) => _placed = block;

    /// <summary>Notes that it will not be written; told in its turn.</summary>
    public void Refuse(StorageException refusal) => _refusal = refusal;

    public void Complete()
    {
        if (_refusal is null)
        {
            _outcome.SetResult(_placed);
        }
        else
        {
            _outcome.SetException(_refusal);
        }
    }

    public void Fail(StorageException reason) => _outcome.SetException(_refusal ?? reason);

    AppendedBatch IValueTaskSource<AppendedBatch>.GetResult(short token)
    {
        var taken = Take(token);
        return new AppendedBatch(taken.First, taken.Count, taken.Timestamp);
    }

    AppendedBlock IValueTaskSource<AppendedBlock>.GetResult(short token) => Take(token);

    public ValueTaskSourceStatus GetStatus(short token) => _outcome.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _outcome.OnCompleted(continuation, state, token, flags);

    private AppendedBlock Take(short token)
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
                Begin(default, null, null, null);
                Place(default);
                _refusal = null;
                home.Return(this);
            }
        }
    }
}
