namespace KawaOrleans.Client;

/// <summary>At most one call under way: who asks meanwhile gets the same answer, or the same error.</summary>
internal sealed class SharedCall<T>
{
    private readonly Lock _gate = new();
    private Task<T>? _underWay;

    /// <summary>Starts the call, or joins the one under way. It runs on whatever becomes of those who wait for it.</summary>
    /// <returns>The answer, and whether this call of <see cref="Join"/> started it.</returns>
    public (Task<T> Answer, bool IsMine) Join(Func<CancellationToken, Task<T>> call)
    {
        TaskCompletionSource<T> mine;
        lock (_gate)
        {
            if (_underWay is { } joined)
            {
                return (joined, false);
            }

            mine = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
            _underWay = mine.Task;
        }

        _ = RunAsync(call, mine);
        return (mine.Task, true);
    }

    private async Task RunAsync(Func<CancellationToken, Task<T>> call, TaskCompletionSource<T> mine)
    {
        var outcome = call(CancellationToken.None);
        await ((Task)outcome).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            _underWay = null;
        }

        // Reading the exception marks it as seen: everyone who waited may have been cancelled.
        _ = outcome.Exception;
        mine.SetFromTask(outcome);
        _ = mine.Task.Exception;
    }
}
