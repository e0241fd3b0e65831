namespace KawaOrleans.Client;

/// <summary>Waits for an answer for as long as the one who owes it is alive.</summary>
/// <remarks>A call to a crashed silo is not answered before its response timeout, many seconds later and even when the cluster
/// has long noticed. So after half of <paramref name="silence"/> the callee is asked for a sign of life, by a call that costs it
/// nothing; if that is not answered within the other half either, waiting ends. What the call did remains unknown.
/// A quick answer costs no timer: all calls under way share one tick, in <see cref="Patience"/>.</remarks>
internal sealed class AnswerWatch(TimeSpan silence, Patience patience, bool asks = true)
{
    public AnswerWatch(TimeSpan silence, TimeProvider time)
        : this(silence, new Patience(time))
    {
    }

    /// <summary>The same with no more patience than this; with the least, too little is left to ask for signs.</summary>
    public AnswerWatch Within(TimeSpan most) => most < silence ? new AnswerWatch(most, patience, most > Retries.LeastPatience) : this;

    /// <summary>The same with a part of this patience, where another callee can be turned to.</summary>
    public AnswerWatch Part(int part, int of) => Within(silence * part / of);

    /// <param name="callee">Names the callee in the error.</param>
    /// <param name="call">The call; its token is cancelled when the answer is no longer wanted.</param>
    /// <param name="signOfLife">A cheap call to the same place, true when it was reached; null if <paramref name="call"/> is cheap itself.</param>
    /// <param name="expected">How long the callee may take by request, before its silence counts.</param>
    /// <param name="cancellation">The caller's.</param>
    /// <exception cref="SilenceException">The callee is silent.</exception>
    public async Task<T> AwaitAsync<T>(
        string callee,
        Func<CancellationToken, Task<T>> call,
        Func<CancellationToken, Task<bool>>? signOfLife,
        TimeSpan expected,
        CancellationToken cancellation)
    {
        using var abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var answer = call(abandoned.Token);
        try
        {
            return await AwaitAsync(callee, answer, signOfLife, expected, cancellation).ConfigureAwait(false);
        }
        finally
        {
            // The callee is told also when the caller's own token ended the wait: it may have ended it before it reached the linked one.
            if (!answer.IsCompleted)
            {
                await abandoned.CancelAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>The same for a call under way that cannot be cancelled.</summary>
    /// <inheritdoc cref="AwaitAsync{T}(string, Func{CancellationToken, Task{T}}, Func{CancellationToken, Task{bool}}?, TimeSpan, CancellationToken)"/>
    public async Task<T> AwaitAsync<T>(
        string callee, Task<T> answer, Func<CancellationToken, Task<bool>>? signOfLife, TimeSpan expected, CancellationToken cancellation)
    {
        signOfLife = asks ? signOfLife : null;
        var limit = expected + (signOfLife is null ? silence : silence / 2);
        while (!await patience.WaitAsync(answer, limit, cancellation).ConfigureAwait(false))
        {
            ThrowIfCancelled(answer, cancellation);
            var alive = signOfLife is not null && await GivesSign(answer, signOfLife, cancellation).ConfigureAwait(false);
            if (!alive && !answer.IsCompleted)
            {
                Forget(answer);
                cancellation.ThrowIfCancellationRequested();
                throw new SilenceException(callee, expected + silence);
            }

            limit = silence / 2;
        }

        return await answer.ConfigureAwait(false);
    }

    /// <summary>True also when the answer came meanwhile.</summary>
    private async Task<bool> GivesSign(Task answer, Func<CancellationToken, Task<bool>> signOfLife, CancellationToken cancellation)
    {
        using var abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var sign = signOfLife(abandoned.Token);
        var first = Task.WhenAny(answer, sign);
        if (!await patience.WaitAsync(first, silence / 2, cancellation).ConfigureAwait(false))
        {
            ThrowIfCancelled(first, cancellation);
            Forget(sign);
            await abandoned.CancelAsync().ConfigureAwait(false);
            return false;
        }

        return answer.IsCompleted || await sign.ConfigureAwait(false);
    }

    private static void ThrowIfCancelled(Task task, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            Forget(task);
            throw new OperationCanceledException(cancellation);
        }
    }

    /// <summary>Nobody waits for it any more; its error is nobody's.</summary>
    private static void Forget(Task task) =>
        _ = task.ContinueWith(static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
}
