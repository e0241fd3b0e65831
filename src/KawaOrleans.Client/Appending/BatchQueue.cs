namespace KawaOrleans.Client;

/// <summary>The batches of one line that were not sent yet: a bounded number of bytes inside, any others waiting for room in the order they
/// came. Used under the line's lock.</summary>
internal sealed class BatchQueue(int maxBlockBytes, long maxPendingBytes)
{
    private readonly Queue<PendingBatch> _waiting = new();
    private readonly Queue<PendingBatch> _outside = new();
    private long _held;
    private int _fittingBytes = int.MaxValue;

    /// <summary>The batches inside.</summary>
    public IEnumerable<PendingBatch> Waiting => _waiting;

    public bool IsEmpty => _waiting.Count == 0;

    /// <summary>True when what waits fills a block.</summary>
    public bool FillsBlock => WaitingBytes >= BlockBytes;

    private long WaitingBytes { get; set; }

    private int BlockBytes => Math.Min(maxBlockBytes, _fittingBytes);

    /// <summary>Blocks of several batches grow no larger than this either: a new segment holds what it is opened for, however small the log
    /// wants it.</summary>
    public void Fit(int blockBytes) => _fittingBytes = blockBytes;

    /// <summary>Takes a batch; false: it waits for room.</summary>
    public bool Add(PendingBatch batch)
    {
        if (_outside.Count > 0 || !HasRoomFor(batch))
        {
            _outside.Enqueue(batch);
            return false;
        }

        Take(batch);
        return true;
    }

    /// <summary>The next block's batches; null: none wait.</summary>
    public List<PendingBatch>? TakeBlock()
    {
        List<PendingBatch>? block = null;
        var bytes = 0L;
        while (_waiting.TryPeek(out var batch) && (block is null || bytes + batch.Bytes <= BlockBytes))
        {
            _waiting.Dequeue();
            WaitingBytes -= batch.Bytes;
            if (batch.IsGivenUp)
            {
                Release(batch.Bytes);
                continue;
            }

            bytes += batch.Bytes;
            (block ??= []).Add(batch);
        }

        return block;
    }

    /// <summary>These bytes have an outcome: room for others.</summary>
    public void Release(int bytes)
    {
        _held -= bytes;
        while (_outside.TryPeek(out var next) && (next.IsGivenUp || HasRoomFor(next)))
        {
            _outside.Dequeue();
            if (!next.IsGivenUp && next.Taken?.TrySetResult() != false)
            {
                Take(next);
            }
        }
    }

    /// <summary>Takes out the batches that were given up to then, those that wait for room included.</summary>
    public List<PendingBatch> TakeGivenUntil(long given)
    {
        var taken = new List<PendingBatch>();
        while (_waiting.TryPeek(out var batch) && batch.Given <= given)
        {
            taken.Add(_waiting.Dequeue());
            WaitingBytes -= batch.Bytes;
            _held -= batch.Bytes;
        }

        while (_waiting.Count == 0 && _outside.TryPeek(out var batch) && batch.Given <= given)
        {
            _outside.Dequeue();
            if (batch.Taken?.TrySetResult() != false)
            {
                taken.Add(batch);
            }
        }

        Release(0);
        return taken;
    }

    /// <summary>Turns away whoever waits for room.</summary>
    public void Close(Exception reason)
    {
        while (_outside.TryDequeue(out var batch))
        {
            batch.Taken?.TrySetException(reason);
            batch.Refuse(reason);
        }
    }

    private bool HasRoomFor(PendingBatch batch) => _held == 0 || _held + batch.Bytes <= maxPendingBytes;

    private void Take(PendingBatch batch)
    {
        _held += batch.Bytes;
        WaitingBytes += batch.Bytes;
        _waiting.Enqueue(batch);
    }
}
