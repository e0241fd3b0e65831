using KawaOrleans.Faults.Tests.Importing;
using KawaOrleans.Faults.Tests.Silos;

namespace KawaOrleans.Faults.Tests.Soaking;

/// <summary>Three logs under load: callers in this process and in one that is killed, and readers that follow.</summary>
internal sealed class Soak(SiloProcesses cluster, int seed) : IDisposable
{
    private const int Logs = 3;
    private const int CallersPerLog = 8;
    private const int ReadersPerLog = 2;

    private readonly List<ILog> _logs = [];
    private readonly List<SoakCaller> _callers = [];
    private readonly List<SoakReader> _readers = [];
    private readonly List<SoakProcess> _processes = [];
    private readonly CancellationTokenSource _stopCalling = new();
    private readonly CancellationTokenSource _stopReading = new();
    private Task _calling = Task.CompletedTask;
    private Task _reading = Task.CompletedTask;

    public IReadOnlyList<ILog> All => _logs;

    /// <summary>Batches acknowledged to callers of this process.</summary>
    public long Acknowledged => _callers.Sum(static c => c.Acknowledged);

    public async Task StartAsync()
    {
        var calling = new List<Task>();
        for (var i = 0; i < Logs; i++)
        {
            // Three times the largest event: about as much as each log takes in a second.
            var log = await Patience.RunAsync(() => cluster.Client.CreateLogAsync($"soak-{i}", new LogOptions { SegmentBytes = 3 * SoakBatch.MostDataBytes }));
            _logs.Add(log);
            var callers = Enumerable.Range(0, CallersPerLog).Select(n => new SoakCaller(log, seed, SoakBatch.CallerName((i * CallersPerLog) + n))).ToList();
            _callers.AddRange(callers);
            calling.AddRange(callers.Select(caller => Task.Run(() => caller.RunAsync(told: null, _stopCalling.Token))));
            _calling = Task.WhenAll(calling);
            _readers.AddRange(Enumerable.Range(0, ReadersPerLog).Select(_ => new SoakReader(log)));

            // The next log's first segment goes where this one's did not: nodes are told apart by what they hold.
            await ProgressAsync([log], batches: 1);
        }

        _reading = Task.WhenAll(_readers.Select(reader => Task.Run(() => reader.RunAsync(_stopReading.Token))));
    }

    /// <summary>Returns when each of these logs had so many more batches acknowledged.</summary>
    public async Task ProgressAsync(IReadOnlyList<ILog> logs, long batches)
    {
        var goals = logs.Select(log => (Log: log, Batches: BatchesOf(log) + batches)).ToList();
        await UntilAsync(
            () => goals.TrueForAll(goal => BatchesOf(goal.Log) >= goal.Batches),
            () => $"so many batches: {string.Join(", ", goals.Select(g => $"{g.Log.Name} {BatchesOf(g.Log)} of {g.Batches}"))}");
    }

    /// <summary>Starts a client process, lets it append to every log, and kills it.</summary>
    public async Task KillClientAsync()
    {
        const int Told = 100;
        var process = new SoakProcess(cluster.Gateways, [.. _logs.Select(static log => log.Name)], seed, 1000 + (_processes.Count * Logs));
        _processes.Add(process);
        await UntilAsync(() => process.Told >= Told || process.HasExited, () => $"{Told} acknowledgements of the client process: {process.Told}");
        await process.KillAsync();
    }

    /// <summary>The node that writes a log now.</summary>
    public static async Task<string?> WriterOfAsync(ILog log) =>
        (await Patience.RunAsync(() => log.DescribeAsync())).Chain.WriteSegment?.Primary;

    /// <summary>Ends the appends, then the readers when they have seen all, and answers what is wrong.</summary>
    public async Task<IReadOnlyList<string>> FinishAsync(Action<string> say)
    {
        await _stopCalling.CancelAsync();
        await _calling;
        List<string> violations = [];
        foreach (var log in _logs)
        {
            var audit = await AuditAsync(log);
            var readers = Enumerable.Range(0, _readers.Count).Where(n => _logs[n / ReadersPerLog] == log).Select(n => _readers[n]).ToList();
            await UntilAsync(
                () => readers.TrueForAll(reader => reader.Digest.Count >= audit.Digest.Count),
                () => $"the readers of {log.Name} to see {audit.Digest.Count} events: {string.Join(", ", readers.Select(static r => r.Digest.Count))}");
            violations.AddRange(audit.Violations());
            violations.AddRange(readers.SelectMany(static reader => reader.Gaps));
            violations.AddRange(readers.Where(reader => reader.Digest.Count != audit.Digest.Count || reader.Digest.Hash != audit.Digest.Hash)
                .Select(reader => $"a reader of {log.Name} saw {reader.Digest.Count} events, {reader.Digest.Hash:x}; the log has {audit.Digest.Count}, {audit.Digest.Hash:x}"));
            say($"{log.Name}: {audit.Digest.Count} events, {_callers.Where(c => c.Log == log).Sum(static c => c.Record.First.Count(static first => first is null))} batches of unknown outcome, readers interrupted {readers.Sum(static r => r.Interruptions)} times");
        }

        await _stopReading.CancelAsync();
        await _reading;
        return violations;
    }

    public void Dispose()
    {
        _stopCalling.Cancel();
        _stopReading.Cancel();
        _processes.ForEach(static process => process.Dispose());
        _stopCalling.Dispose();
        _stopReading.Dispose();
    }

    private async Task<SoakAudit> AuditAsync(ILog log)
    {
        List<CallerRecord> records =
        [
            .. _callers.Where(caller => caller.Log == log).Select(static caller => caller.Record),
            .. _processes.Select(process => process.Records[_logs.IndexOf(log)]),
        ];
        var audit = new SoakAudit(seed, records);
        return await Patience.RunAsync(async () =>
        {
            await foreach (var e in log.ReadAsync(audit.Digest.Count))
            {
                audit.Next(e);
            }

            return audit;
        });
    }

    private long BatchesOf(ILog log) => _callers.Where(caller => caller.Log == log).Sum(static caller => caller.Acknowledged);

    /// <summary>Fails when callers or readers failed, or patience is at its end.</summary>
    private async Task UntilAsync(Func<bool> isSo, Func<string> what)
    {
        using var late = new CancellationTokenSource(Patience.Limit);
        while (!isSo())
        {
            foreach (var running in (Task[])[_calling, _reading])
            {
                if (running.IsFaulted)
                {
                    await running;
                }
            }

            Assert.False(late.IsCancellationRequested, $"waited {Patience.Limit} for {what()}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
        }
    }
}
