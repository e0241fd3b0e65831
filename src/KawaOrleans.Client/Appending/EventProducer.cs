namespace KawaOrleans.Client;

/// <summary>A line of its own, and the task of each batch's outcome.</summary>
internal sealed class EventProducer(AppendLine line) : IEventProducer
{
    public ValueTask<Task<Appended>> EnqueueAsync(EventBatch batch, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (cancellation.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<Task<Appended>>(cancellation);
        }

        var pending = line.Add(batch, asksForRoom: true);
        return pending.Taken is { } taken ? WaitForRoomAsync(pending, taken, cancellation) : new ValueTask<Task<Appended>>(pending.Task);
    }

    public Task<Appended> AppendAsync(EventBatch batch, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (cancellation.IsCancellationRequested)
        {
            return Task.FromCanceled<Appended>(cancellation);
        }

        var pending = line.Add(batch, asksForRoom: false);
        return cancellation.CanBeCanceled ? AwaitAsync(pending, cancellation) : pending.Task;
    }

    /// <summary>The same under expectations: <see cref="Appended"/> or <see cref="RevisionConflict"/>.</summary>
    public async Task<AppendResult> AppendAsync(EventBatch batch, StreamExpectations expected, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var pending = line.Add(batch, asksForRoom: false, expected);
        var appended = await (cancellation.CanBeCanceled ? AwaitAsync(pending, cancellation) : pending.Task).ConfigureAwait(false);
        return pending.Conflict is { } conflict ? conflict : appended;
    }

    public Task FlushAsync(CancellationToken cancellation = default) => line.FlushAsync(cancellation);

    public async ValueTask DisposeAsync() => await line.CloseAsync().ConfigureAwait(false);

    private static async ValueTask<Task<Appended>> WaitForRoomAsync(PendingBatch pending, TaskCompletionSource taken, CancellationToken cancellation)
    {
        using var cancelled = cancellation.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), taken);
        await taken.Task.ConfigureAwait(false);
        return pending.Task;
    }

    /// <summary>Who gives up is told at once; a batch that was not sent by then is not sent.</summary>
    private static async Task<Appended> AwaitAsync(PendingBatch pending, CancellationToken cancellation)
    {
        using var cancelled = cancellation.UnsafeRegister(static (state, token) => ((PendingBatch)state!).GiveUp(token), pending);
        return await pending.Task.ConfigureAwait(false);
    }
}
