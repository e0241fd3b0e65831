namespace KawaOrleans.Storage.Tests.Simulation;

/// <summary>A clock that moves only when told; timers fire then.</summary>
internal sealed class StillTime : TimeProvider
{
    private readonly List<StillTimer> _timers = [];
    private DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.UtcTicks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new StillTimer(() => callback(state)) { Due = _now + dueTime, Period = period };
        lock (_timers)
        {
            _timers.Add(timer);
        }

        return timer;
    }

    public void Advance(TimeSpan time)
    {
        _now += time;
        List<StillTimer> due;
        lock (_timers)
        {
            due = [.. _timers.Where(t => !t.Disposed && t.Due <= _now)];
        }

        foreach (var timer in due)
        {
            timer.Due = timer.Period > TimeSpan.Zero ? _now + timer.Period : DateTimeOffset.MaxValue;
            timer.Fire();
        }
    }

    private sealed class StillTimer(Action fire) : ITimer
    {
        public DateTimeOffset Due { get; set; }

        public TimeSpan Period { get; set; }

        public bool Disposed { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period) => false;

        public void Dispose() => Disposed = true;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
