namespace KawaOrleans.Server.Healing;

/// <summary>Keeps background work below so many bytes a second.</summary>
internal sealed class Pace(long bytesPerSecond, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private double _due;

    /// <summary>Returns when so many bytes more are allowed. What was not used is not saved up.</summary>
    public async Task Spend(long bytes, CancellationToken cancellation)
    {
        if (Wait(bytes) is var wait && wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, time, cancellation);
        }
    }

    /// <summary>The same for work that has a thread of its own.</summary>
    /// <exception cref="OperationCanceledException">It is to end.</exception>
    public void SpendHere(long bytes, CancellationToken cancellation)
    {
        if (Wait(bytes) is var wait && wait > TimeSpan.Zero && cancellation.WaitHandle.WaitOne(wait))
        {
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private TimeSpan Wait(long bytes)
    {
        var now = time.GetElapsedTime(_started).TotalSeconds;
        _due = Math.Max(_due, now) + ((double)bytes / bytesPerSecond);
        return TimeSpan.FromSeconds(_due - now);
    }
}
