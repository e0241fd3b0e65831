using System.Diagnostics;

namespace KawaOrleans.Client.Tests;

/// <summary>Tests on the virtual clock: alone, because it cannot tell whose work the thread pool does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class OnVirtualTime
{
    public const string Name = "on virtual time";
}

/// <summary>A clock that stands still until somebody waits, and then goes to the end of the shortest wait. Tests of timeouts
/// take no time.</summary>
/// <remarks>It moves only while the thread pool has nothing to do and does nothing: whoever was woken has come as far as he can before time goes
/// on, however busy the machine is. So a test that looks at the clock does it on the pool: <see cref="FakeStore.Fill"/>.</remarks>
internal sealed class VirtualTime : TimeProvider, IDisposable
{
    /// <summary>Of real time: threads of the pool that are busy for longer are taken to be blocked by somebody else.</summary>
    private static readonly TimeSpan LongestWork = TimeSpan.FromSeconds(0.5);

    /// <summary>Threads of the pool on which the test runner itself waits, or what an earlier test left behind: the fewest seen busy.</summary>
    private static int s_othersThreads = Enumerable.Range(0, 50).Min(static _ =>
    {
        Thread.Sleep(2);
        return BusyThreads();
    });

    private static int s_fewerSeen;

    private readonly Lock _gate = new();
    private readonly PriorityQueue<Timer, long> _waiting = new();
    private readonly SemaphoreSlim _added = new(0);
    private readonly CancellationTokenSource _ended = new();
    private long _now;

    public VirtualTime() => new Thread(Run) { IsBackground = true, Name = nameof(VirtualTime) }.Start();

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _now);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Dispose() => _ended.Cancel();

    private void Run()
    {
        try
        {
            while (true)
            {
                _added.Wait(_ended.Token);
                WaitForThePool();
                Timer? due;
                long at;
                lock (_gate)
                {
                    if (!_waiting.TryDequeue(out due, out at))
                    {
                        continue;
                    }

                    if (due.IsDueAt(at))
                    {
                        Interlocked.Exchange(ref _now, Math.Max(_now, at));
                    }
                }

                due.FireIfDueAt(at);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private void WaitForThePool()
    {
        var began = Stopwatch.GetTimestamp();
        for (var wait = default(SpinWait); !IsPoolIdle(); wait.SpinOnce())
        {
            _ended.Token.ThrowIfCancellationRequested();
            if (Stopwatch.GetElapsedTime(began) > LongestWork)
            {
                s_othersThreads = BusyThreads();
                return;
            }
        }
    }

    /// <summary>What waits is asked for first: whoever puts work there is at work himself until it is there.</summary>
    private static bool IsPoolIdle()
    {
        if (ThreadPool.PendingWorkItemCount > 0)
        {
            return false;
        }

        var busy = BusyThreads();
        if (busy >= s_othersThreads)
        {
            s_fewerSeen = 0;
            return busy == s_othersThreads;
        }

        // Once may be a thread between two pieces of work.
        s_fewerSeen++;
        s_othersThreads = s_fewerSeen < 3 ? s_othersThreads : busy;
        return true;
    }

    private static int BusyThreads()
    {
        ThreadPool.GetMaxThreads(out var most, out _);
        ThreadPool.GetAvailableThreads(out var available, out _);
        return most - available;
    }

    private sealed class Timer(VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        private const long Never = -1;
        private long _dueAt = Never;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == Timeout.InfiniteTimeSpan)
            {
                Interlocked.Exchange(ref _dueAt, Never);
                return true;
            }

            lock (time._gate)
            {
                var at = time.GetTimestamp() + dueTime.Ticks;
                Interlocked.Exchange(ref _dueAt, at);
                time._waiting.Enqueue(this, at);
            }

            time._added.Release();
            return true;
        }

        public bool IsDueAt(long at) => Interlocked.Read(ref _dueAt) == at;

        public void FireIfDueAt(long at)
        {
            if (Interlocked.CompareExchange(ref _dueAt, Never, at) == at)
            {
                callback(state);
            }
        }

        public void Dispose() => Interlocked.Exchange(ref _dueAt, Never);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
