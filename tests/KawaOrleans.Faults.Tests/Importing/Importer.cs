using System.Diagnostics;

namespace KawaOrleans.Faults.Tests.Importing;

/// <summary>Appends batch after batch to one log and remembers what became of each. A batch of unknown outcome is not repeated.</summary>
internal sealed class Importer(ILog log, int seed)
{
    private const int EventsPerBatch = 20;
    private readonly List<Attempt> _attempts = [];
    private readonly Random _random = new(seed);
    private readonly Stopwatch _sinceLast = Stopwatch.StartNew();
    private int _acknowledged;

    public string Log => log.Name;

    /// <summary>What was tried, in order; complete once <see cref="RunAsync"/> returned.</summary>
    public IReadOnlyList<Attempt> Attempts => _attempts;

    /// <summary>Batches acknowledged so far.</summary>
    public int Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>The longest time between two acknowledgements.</summary>
    public TimeSpan LongestPause { get; private set; }

    /// <summary>Appends until told to stop; the append in flight then is waited for.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await AppendOneAsync();
        }
    }

    /// <summary>Appends the next batch.</summary>
    public async Task AppendOneAsync()
    {
        var events = NextBatch();
        var first = await AppendAsync(EventBatch.Encode(events));
        _attempts.Add(new Attempt(events, first));
        if (first is not null)
        {
            LongestPause = _sinceLast.Elapsed > LongestPause ? _sinceLast.Elapsed : LongestPause;
            _sinceLast.Restart();
            Interlocked.Increment(ref _acknowledged);
        }
    }

    private async Task<long?> AppendAsync(EventBatch batch)
    {
        try
        {
            return (await Patience.RunAsync(() => log.AppendAsync(batch))).First;
        }
        catch (UnknownOutcomeException)
        {
            return null;
        }
    }

    private EventData[] NextBatch()
    {
        var events = new EventData[EventsPerBatch];
        for (var i = 0; i < events.Length; i++)
        {
            var data = new byte[_random.Next(20, 800)];
            var id = new byte[16];
            _random.NextBytes(data);
            _random.NextBytes(id);
            events[i] = new EventData($"stream-{_random.Next(50)}", "imported", data) { Id = new Guid(id), Metadata = BitConverter.GetBytes(_attempts.Count) };
        }

        return events;
    }
}
