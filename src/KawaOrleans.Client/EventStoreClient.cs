using System.Collections.Concurrent;

namespace KawaOrleans.Client;

/// <summary>The one client of a process: keeps a handle for every log it was asked for.</summary>
internal sealed class EventStoreClient : IEventStoreClient
{
    private const string Catalogue = "catalogue of logs";

    private readonly IGrains _grains;
    private readonly AnswerWatch _watch;
    private readonly Retries _retries;
    private readonly KawaClientOptions _options;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, LogHandle> _logs = new(StringComparer.Ordinal);

    public EventStoreClient(IGrains grains, KawaClientOptions options, TimeProvider time)
        : this(grains, options, time, Random.Shared)
    {
    }

    internal EventStoreClient(IGrains grains, KawaClientOptions options, TimeProvider time, Random random)
    {
        _grains = grains;
        _watch = new AnswerWatch(options.NodeSilence, time);
        _retries = new Retries(options.RetryFor, options.NodeSilence, time, random);
        _options = options;
        _time = time;
    }

    public ILog Log(string name) => Handle(name);

    public async Task<ILog> CreateLogAsync(string name, LogOptions? options = null, CancellationToken cancellation = default)
    {
        var log = Handle(name);
        options ??= new LogOptions();
        if (options.WhyNot() is { } reason)
        {
            throw new RequestRefusedException($"Log '{name}' cannot be created: {reason}.");
        }

        await log.CreateAsync(options, cancellation).ConfigureAwait(false);
        return log;
    }

    public Task<IReadOnlyList<LogSummary>> ListLogsAsync(CancellationToken cancellation = default) =>
        _retries.RunAsync(ListOnceAsync, cancellation);

    public Task DeleteLogAsync(string name, CancellationToken cancellation = default) => Handle(name).DeleteAsync(cancellation);

    private async Task<IReadOnlyList<LogSummary>> ListOnceAsync(Retries.Budget budget, CancellationToken cancellation)
    {
        try
        {
            var watch = _watch.Within(budget.Patience);
            return await watch.AwaitAsync(Catalogue, _grains.EventStore.ListLogs, null, TimeSpan.Zero, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (Failure.IsOnTheWay(e, cancellation))
        {
            throw new DirectoryUnavailableException(Catalogue, e.Message, e);
        }
    }

    private LogHandle Handle(string name) =>
        Names.WhyNotKey(name) is { } reason
            ? throw new RequestRefusedException($"'{name}' is no name of a log: {reason}.")
            : _logs.GetOrAdd(name, static (key, client) => new LogHandle(key, client._grains, client._watch, client._retries, client._options, client._time), this);
}
