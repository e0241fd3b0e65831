using System.Threading.Tasks.Sources;

namespace KawaOrleans.Client;

/// <summary>Waits for tasks, each for a limited time, with one timer for all of them.</summary>
/// <remarks>Counts steps, not time: a step that took long because this process itself was starved or suspended says nothing about the
/// one waited for, and counts as one.</remarks>
internal sealed class Patience(TimeProvider time)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private Wait? _newest;
    private ITimer? _timer;
    private bool _ticking;

    /// <summary>True as soon as the task is completed, however it ended; false when the limit is over or the token cancelled.</summary>
    public ValueTask<bool> WaitAsync(Task task, TimeSpan limit, CancellationToken cancellation)
    {
        if (task.IsCompleted)
        {
            return new ValueTask<bool>(true);
        }

        var wait = new Wait(this, task);
        Add(wait, (int)(limit / Step));
        return wait.Begin(cancellation);
    }

    private void Add(Wait wait, int steps)
    {
        lock (_gate)
        {
            // Never longer than asked for, or several waits in a row would outlast their caller's time. The step under way may be nearly
            // over: a wait is up to two steps shorter, but never nothing.
            wait.StepsLeft = Math.Max(steps, _ticking ? 2 : 1);
            wait.Older = _newest;
            if (_newest is not null)
            {
                _newest.Newer = wait;
            }

            _newest = wait;
            wait.IsListed = true;
            if (!_ticking)
            {
                _ticking = true;
                _timer ??= time.CreateTimer(static state => ((Patience)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _timer.Change(Step, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Remove(Wait wait)
    {
        lock (_gate)
        {
            if (!wait.IsListed)
            {
                return;
            }

            wait.IsListed = false;
            if (wait.Newer is null)
            {
                _newest = wait.Older;
            }
            else
            {
                wait.Newer.Older = wait.Older;
            }

            if (wait.Older is not null)
            {
                wait.Older.Newer = wait.Newer;
            }
        }
    }

    private void Tick()
    {
        List<Wait>? over = null;
        lock (_gate)
        {
            for (var wait = _newest; wait is not null; wait = wait.Older)
            {
                if (--wait.StepsLeft <= 0)
                {
                    (over ??= []).Add(wait);
                }
            }

            _ticking = _newest is not null;
            if (_ticking)
            {
                _timer!.Change(Step, Timeout.InfiniteTimeSpan);
            }
        }

        over?.ForEach(static wait => wait.End());
    }

    /// <summary>One wait: nothing else is allocated for it, and it is not used again, since what it waits for may call it long after it ended.</summary>
    private sealed class Wait(Patience patience, Task awaited) : IValueTaskSource<bool>
    {
        private ManualResetValueTaskSourceCore<bool> _over;
        private CancellationTokenRegistration _cancelled;
        private int _ended;

        public Wait? Older { get; set; }

        public Wait? Newer { get; set; }

        public int StepsLeft { get; set; }

        public bool IsListed { get; set; }

        public ValueTask<bool> Begin(CancellationToken cancellation)
        {
            _cancelled = cancellation.UnsafeRegister(static state => ((Wait)state!).End(), this);
            awaited.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(End);
            return new ValueTask<bool>(this, _over.Version);
        }

        public void End()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0)
            {
                patience.Remove(this);
                _over.SetResult(true);
            }
        }

        bool IValueTaskSource<bool>.GetResult(short token)
        {
            _over.GetResult(token);
            _cancelled.Unregister();
            return awaited.IsCompleted;
        }

        ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _over.GetStatus(token);

        void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _over.OnCompleted(continuation, state, token, flags);
    }
}
