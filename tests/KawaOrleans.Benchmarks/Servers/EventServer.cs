using System.Diagnostics;
using KawaOrleans.Benchmarks.Measuring;

namespace KawaOrleans.Benchmarks.Servers;

/// <summary>A real server on loopback, started by this program with a directory of its own and ended with it. All of its methods
/// move the same events: a 16-byte stream, a 12-byte type, an id, 100 bytes of data.</summary>
internal abstract class EventServer : IDisposable
{
    private long _events;

    /// <summary>Short: it is the end of figures' ids.</summary>
    public abstract string Name { get; }

    /// <summary>When it acknowledges, and what that rests on.</summary>
    public abstract string Acknowledges { get; }

    /// <summary>True when an acknowledged event is on disk.</summary>
    public abstract bool SyncsFirst { get; }

    /// <summary>How it takes a batch of 1,000.</summary>
    public abstract string Batches { get; }

    /// <summary>Events acknowledged.</summary>
    public long Events => Volatile.Read(ref _events);

    /// <summary>Appends one event and returns when it is acknowledged.</summary>
    public async Task AppendAsync(int caller)
    {
        await AppendOneAsync(caller);
        Interlocked.Increment(ref _events);
    }

    /// <summary>Appends 1,000 events and returns when all are acknowledged.</summary>
    public async Task AppendBatchAsync(int caller)
    {
        await AppendManyAsync(caller);
        Interlocked.Add(ref _events, Cluster.SampleEvents.BatchEvents);
    }

    /// <summary>Appends batches until it holds so many events.</summary>
    public void FillTo(long events)
    {
        while (Events < events)
        {
            Wait.For(() => Task.WhenAll(AppendBatchAsync(0), AppendBatchAsync(1)));
        }
    }

    /// <summary>Reads so many events from the first on, with their data, and answers how many came.</summary>
    public abstract Task<long> ReadAsync(long events);

    /// <summary>What its events take on disk, indexes included.</summary>
    public abstract long DiskBytes();

    /// <summary>Kills it, starts it and returns when it acknowledged one more event; answers how long that took, and it connects anew.</summary>
    public TimeSpan Restart()
    {
        Crash();
        var clock = Stopwatch.StartNew();
        StartAndConnect();
        while (true)
        {
            try
            {
                Wait.For(() => AppendAsync(0));
                return clock.Elapsed;
            }
            catch (Exception e) when (IsStillStarting(e) && clock.Elapsed < TimeSpan.FromSeconds(60))
            {
                Thread.Sleep(TimeSpan.FromMilliseconds(5));
            }
        }
    }

    public abstract void Dispose();

    protected abstract Task AppendOneAsync(int caller);

    protected abstract Task AppendManyAsync(int caller);

    protected abstract void Crash();

    protected abstract void StartAndConnect();

    protected abstract bool IsStillStarting(Exception e);

    protected static long BytesIn(string folder) => new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
}
