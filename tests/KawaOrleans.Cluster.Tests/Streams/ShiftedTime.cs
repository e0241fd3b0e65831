namespace KawaOrleans.Cluster.Tests.Streams;

/// <summary>The system's clock, ahead by as much as the test wants; nothing waits longer or shorter for that.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _aheadTicks;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Volatile.Read(ref _aheadTicks));

    public void Advance(TimeSpan by) => Interlocked.Add(ref _aheadTicks, by.Ticks);
}
