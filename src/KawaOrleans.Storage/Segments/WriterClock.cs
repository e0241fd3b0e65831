namespace KawaOrleans.Storage.Segments;

/// <summary>The time for timestamps. Reading the system's clock costs as much as appending an event, so it is read anew only when
/// the operating system's coarse tick has moved: at most some milliseconds late, never early.</summary>
internal sealed class WriterClock(TimeProvider time)
{
    private readonly bool _isSystem = ReferenceEquals(time, TimeProvider.System);
    private long _tick = long.MinValue;
    private long _now;

    public long UtcTicks()
    {
        if (!_isSystem)
        {
            return time.GetUtcNow().UtcTicks;
        }

        var tick = Environment.TickCount64;
        if (tick != _tick)
        {
            _tick = tick;
            _now = time.GetUtcNow().UtcTicks;
        }

        return _now;
    }
}
