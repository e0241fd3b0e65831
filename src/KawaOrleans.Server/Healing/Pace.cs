namespace KawaOrleans.Server.Healing;

/// <summary>Keeps background work below so many bytes a second.</summary>
internal sealed class Pace(long bytesPerSecond, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private double _due;

    /// <summary>Returns when so many bytes more are allowed. What was not used is not saved up.</summary>
    public async Task Spend(long bytes, CancellationToken cancellation)
    {
        var now = time.GetElapsedTime(_started).TotalSeconds;
        _due = Math.Max(_due, now) + ((double)bytes / bytesPerSecond);
        if (_due > now)
        {
            await Task.Delay(TimeSpan.FromSeconds(_due - now), time, cancellation);
        }
    }
}
