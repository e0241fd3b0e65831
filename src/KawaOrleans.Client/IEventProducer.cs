namespace KawaOrleans;

/// <summary>Appends at full speed: gathers batches into blocks, keeps several blocks on their way at once, and brings them to the log
/// in the order they were given. Get one from <see cref="ILog.CreateProducer"/>. All methods may be called at the same time from any thread.</summary>
/// <remarks>
/// <para>Each batch stays atomic and has an outcome of its own. The batches that are acknowledged lie in the log in the order
/// given, each once, whatever was lost or repeated on the way; a batch that is refused leaves a gap in that order, not an end.</para>
/// <para>Memory is bounded by <see cref="ProducerOptions.MaxPendingBytes"/>: <see cref="EnqueueAsync"/> waits for room.</para>
/// </remarks>
public interface IEventProducer : IAsyncDisposable
{
    /// <summary>Takes a batch, waiting only for room. Order is the order of the calls.</summary>
    /// <param name="batch">One or more events, encoded: <see cref="EventBatch.Encode"/>. Its bytes must not change before the outcome.</param>
    /// <param name="cancellation">Ends the wait for room; the batch is then not taken. A batch once taken is sent.</param>
    /// <returns>Once taken: the task of its outcome, with the results and errors of <see cref="ILog.AppendAsync(EventBatch, CancellationToken)"/>. It need not be
    /// awaited; an error nobody looks at disturbs nothing.</returns>
    /// <exception cref="ObjectDisposedException">The producer was disposed.</exception>
    ValueTask<Task<Appended>> EnqueueAsync(EventBatch batch, CancellationToken cancellation = default);

    /// <summary>Takes a batch and waits for its outcome.</summary>
    /// <param name="batch">One or more events, encoded.</param>
    /// <param name="cancellation">Ends the wait; a batch once taken is sent all the same.</param>
    /// <inheritdoc cref="ILog.AppendAsync(EventBatch, CancellationToken)" path="/exception"/>
    /// <exception cref="ObjectDisposedException">The producer was disposed.</exception>
    Task<Appended> AppendAsync(EventBatch batch, CancellationToken cancellation = default);

    /// <summary>Sends what waits for company and returns once every batch taken before has its outcome, good or bad.</summary>
    Task FlushAsync(CancellationToken cancellation = default);
}
