using System.Diagnostics;
using KawaOrleans.Faults.Tests.Importing;
using KawaOrleans.Tests.History;

namespace KawaOrleans.Faults.Tests.Replicas;

/// <summary>Callers and a reader at work on one log of three replicas, two of which acknowledge, and what they were told.</summary>
internal sealed class ReplicatedLoad : IAsyncDisposable
{
    private const int Callers = 6;

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _end = new();
    private readonly List<LoadCaller> _callers;
    private readonly LoadReader _reader;
    private readonly Task _calling;
    private readonly Task _reading;

    public ReplicatedLoad(ILog log)
    {
        Log = log;
        _callers = [.. Enumerable.Range(0, Callers).Select(number => new LoadCaller(log, History, number))];
        _reader = new LoadReader(log, History);
        _calling = Task.WhenAll(_callers.Select(caller => Task.Run(() => caller.RunAsync(_stop.Token, _end.Token))));
        _reading = Task.Run(() => _reader.RunAsync(_end.Token));
    }

    public ILog Log { get; }

    public History History { get; } = new();

    /// <summary>Batches acknowledged so far.</summary>
    public int Acknowledged => _callers.Sum(static caller => caller.Acknowledged);

    /// <summary>Calls that did not end with an acknowledgement so far.</summary>
    public int Failures => _callers.Sum(static caller => caller.Failures);

    /// <summary>What callers were told who were not acknowledged.</summary>
    public IEnumerable<string> LastFailures => _callers.Select(static caller => caller.LastFailure).Where(static said => said.Length > 0);

    /// <summary>Returns when each caller had so many more batches acknowledged.</summary>
    public async Task ProgressAsync(int batches)
    {
        var goals = _callers.ConvertAll(caller => caller.Acknowledged + batches);
        await UntilAsync(
            () => _callers.Zip(goals).All(static goal => goal.First.Acknowledged >= goal.Second),
            () => $"every caller to have {batches} more batches acknowledged; {string.Join(", ", _callers.Zip(goals).Select(static goal => $"{goal.First.Acknowledged} of {goal.Second}"))}; "
                + string.Join(" | ", LastFailures.Distinct()));
    }

    /// <summary>Returns when it is so; fails when callers or the reader failed, or patience is at its end.</summary>
    public async Task UntilAsync(Func<bool> isSo, Func<string> what)
    {
        for (var waited = Stopwatch.StartNew(); !isSo();)
        {
            if (_calling.IsFaulted)
            {
                await _calling;
            }

            if (_reading.IsFaulted)
            {
                await _reading;
            }

            Assert.True(waited.Elapsed < Patience.Limit, $"waited {Patience.Limit} for {what()}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
        }
    }

    /// <summary>Ends the appends, reads the log, and answers what is wrong with it; a line of figures besides.</summary>
    public async Task<(IReadOnlyList<Violation> Violations, string Figures)> FinishAsync()
    {
        await _stop.CancelAsync();
        await UntilAsync(() => _calling.IsCompleted, () => "the last appends");
        await _calling;
        var (log, early) = await ReadAllAsync();
        await _end.CancelAsync();
        await _reading;
        var unknown = History.Appends.Count(static append => append.Outcome == Outcome.Unknown);
        return (HistoryCheck.Find(History, log),
            $"{Log.Name}: {log.Count} events, {Acknowledged} batches acknowledged, {unknown} calls without an answer, reader interrupted {_reader.Interruptions} times"
            + (early == 0 ? "" : $", {early} reads to the end ended before what was acknowledged"));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _end.CancelAsync();
        await Task.WhenAny(Task.WhenAll(_calling, _reading), Task.Delay(Patience.Limit));
        _stop.Dispose();
        _end.Dispose();
    }

    /// <summary>The log up to its end, and how often a read ended before what callers were told: reads see a prefix, perhaps a stale one, where the node that
    /// answers was cut off.</summary>
    private async Task<(List<FinalEvent> Log, int Early)> ReadAllAsync()
    {
        var known = History.Appends.Where(static append => append.Outcome == Outcome.Acknowledged).Max(static append => append.First + append.Events.Count);
        var (log, early) = (new List<FinalEvent>(), -1);
        for (var waited = Stopwatch.StartNew(); log.Count < known && waited.Elapsed < Patience.Limit; early++)
        {
            await Patience.RunAsync(async () =>
            {
                await foreach (var e in Log.ReadAsync(log.Count))
                {
                    log.Add(FinalEvent.Of(e));
                }

                return log;
            });
        }

        return (log, early);
    }
}
