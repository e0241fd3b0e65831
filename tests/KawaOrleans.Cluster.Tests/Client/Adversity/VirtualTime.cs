namespace KawaOrleans.Cluster.Tests.Client;

/// <summary>A clock that stands still until somebody waits, and then goes to the end of the shortest wait. Tests of timeouts
/// take no time.</summary>
internal sealed class VirtualTime : TimeProvider, IDisposable
{
    private static readonly TimeSpan ForTheWoken = TimeSpan.FromMilliseconds(3);

    private readonly Lock _gate = new();
    private readonly PriorityQueue<Timer, long> _waiting = new();
    private readonly SemaphoreSlim _added = new(0);
    private readonly CancellationTokenSource _ended = new();
    private long _now;

    public VirtualTime() => _ = Task.Run(RunAsync);

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

    private async Task RunAsync()
    {
        while (true)
        {
            await _added.WaitAsync(_ended.Token);

            // Whoever was woken by the last timer sets his next one first, if he is quick; nothing depends on it.
            await Task.Yield();
            Timer? due;
            lock (_gate)
            {
                if (!_waiting.TryDequeue(out due, out var at))
                {
                    continue;
                }

                Interlocked.Exchange(ref _now, Math.Max(_now, at));
            }

            if (due.Fire())
            {
                // Whoever was woken for good, and what follows from that, comes before time goes on: on a busy machine that takes a moment. A
                // timer that is set again and again only counts time, and is not waited for.
                await Task.Delay(ForTheWoken);
            }
        }
    }

    private sealed class Timer(VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        private int _armed;
        private int _fired;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == Timeout.InfiniteTimeSpan)
            {
                Interlocked.Exchange(ref _armed, 0);
                return true;
            }

            Interlocked.Exchange(ref _armed, 1);
            lock (time._gate)
            {
                time._waiting.Enqueue(this, time.GetTimestamp() + dueTime.Ticks);
            }

            time._added.Release();
            return true;
        }

        /// <summary>True when it woke somebody, for the first time.</summary>
        public bool Fire()
        {
            if (Interlocked.Exchange(ref _armed, 0) == 0)
            {
                return false;
            }

            callback(state);
            return _fired++ == 0;
        }

        public void Dispose() => Interlocked.Exchange(ref _armed, 0);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
