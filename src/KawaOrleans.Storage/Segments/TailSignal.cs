namespace KawaOrleans.Storage.Segments;

/// <summary>Lets readers wait for the next move of a tail; costs the writer one exchange when nobody waits.</summary>
internal sealed class TailSignal
{
    private TaskCompletionSource? _waiters;

    /// <summary>Completes at the next pulse. Take it before looking at the tail, or the move in between is missed.</summary>
    public Task Next
    {
        get
        {
            var waiters = Volatile.Read(ref _waiters);
            while (waiters is null)
            {
                var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                waiters = Interlocked.CompareExchange(ref _waiters, mine, null) ?? mine;
            }

            return waiters.Task;
        }
    }

    public void Pulse()
    {
        if (Volatile.Read(ref _waiters) is not null)
        {
            Interlocked.Exchange(ref _waiters, null)?.TrySetResult();
        }
    }
}
