namespace KawaOrleans.Storage.Segments;

/// <summary>Pending appends for use again, as many as were ever under way at once, within bounds: a durable append allocates nothing.</summary>
internal sealed class PendingAppends
{
    private const int MaxKept = 1024;

    private readonly Stack<PendingAppend> _free = [];

    public PendingAppend Take(ReadOnlyMemory<byte> bytes, EventBlock? block, long? retrySince, IReadOnlyList<StreamExpectations?>? expected)
    {
        PendingAppend? pending;
        lock (_free)
        {
            _free.TryPop(out pending);
        }

        pending ??= new PendingAppend(this);
        pending.Begin(bytes, block, retrySince, expected);
        return pending;
    }

    public void Return(PendingAppend pending)
    {
        lock (_free)
        {
            if (_free.Count < MaxKept)
            {
                _free.Push(pending);
            }
        }
    }
}
