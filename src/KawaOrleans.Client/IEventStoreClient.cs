namespace KawaOrleans;

/// <summary>The event store, seen from an application. One instance serves all threads; get it by injection after
/// <c>AddKawaClient</c>.</summary>
/// <remarks>
/// <para>Every call ends within about two seconds when the node it needs is dead, with a <see cref="KawaException"/>:
/// retryable ones (<see cref="KawaException.IsRetryable"/>) had no effect and were already repeated for
/// <see cref="KawaClientOptions.RetryFor"/>.</para>
/// <para>A cancelled token ends the wait at once with <see cref="OperationCanceledException"/>. What was already sent may still take effect.</para>
/// </remarks>
public interface IEventStoreClient
{
    /// <summary>A handle on the log of this name, whether or not it exists: nothing is asked of the cluster before the handle is
    /// used. Handles are cheap; those of one name share what they know of the log.</summary>
    /// <exception cref="RequestRefusedException">No log can have this name.</exception>
    ILog Log(string name);

    /// <summary>Creates the log, or finds it when it exists with these options. Nothing is allocated before its first append.</summary>
    /// <param name="name">The log's name: <c>[a-z0-9][a-z0-9._-]{0,127}</c>.</param>
    /// <param name="options">Fixed for the log's life; the defaults of <see cref="LogOptions"/> unless given.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="RequestRefusedException">Bad name or options, or the log exists with other options.</exception>
    /// <exception cref="ChainStoreException">The chain store is away, or does not know what its nodes know.</exception>
    /// <exception cref="DirectoryUnavailableException">The log's directory did not answer; the log may have been created. Repeat the call.</exception>
    Task<ILog> CreateLogAsync(string name, LogOptions? options = null, CancellationToken cancellation = default);

    /// <summary>All logs, by name.</summary>
    /// <exception cref="ChainStoreException">The chain store is away, or does not know what its nodes know.</exception>
    /// <exception cref="DirectoryUnavailableException">The catalogue did not answer.</exception>
    Task<IReadOnlyList<LogSummary>> ListLogsAsync(CancellationToken cancellation = default);

    /// <summary>Ends the log: its name may be used anew, its files are set aside by the nodes that hold them. Not repeated by itself.</summary>
    /// <exception cref="UnknownLogException">There is no such log.</exception>
    /// <exception cref="DirectoryUnavailableException">No answer came; the log may be gone. List the logs to see.</exception>
    Task DeleteLogAsync(string name, CancellationToken cancellation = default);
}
