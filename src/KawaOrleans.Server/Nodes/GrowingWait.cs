namespace KawaOrleans.Server.Nodes;

/// <summary>The time between tries of something that others are away for: 0.2 s, then twice as long each time, at most 2 s.</summary>
internal sealed class GrowingWait(TimeProvider time)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    private TimeSpan _next = TimeSpan.FromMilliseconds(200);

    /// <summary>Returns when it is time for the next try, or when nobody waits for it any more.</summary>
    public async Task Next(CancellationToken cancellation)
    {
        await Task.Delay(_next, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _next = _next * 2 < Longest ? _next * 2 : Longest;
    }
}
