namespace KawaOrleans.Client;

/// <summary>How often and when something is tried again: until <paramref name="budget"/> after its beginning, at growing, jittered distances.</summary>
internal sealed class Retries(TimeSpan budget, TimeProvider time, Random random)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(250);

    public Budget Begin() => new(this);

    /// <summary>Makes a call without effects until it succeeds, fails for good, or the budget is spent; then the last error is thrown.</summary>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellation)
    {
        var retry = Begin();
        while (true)
        {
            try
            {
                return await call(cancellation).ConfigureAwait(false);
            }
            catch (KawaException e) when (Failure.IsWorthAnotherRead(e))
            {
                if (!await retry.AgainAsync(cancellation).ConfigureAwait(false))
                {
                    throw;
                }
            }
        }
    }

    private double Jitter()
    {
        lock (random)
        {
            return 0.5 + random.NextDouble();
        }
    }

    /// <summary>The attempts at one thing.</summary>
    internal sealed class Budget(Retries retries)
    {
        private readonly long _began = retries.Time.GetTimestamp();
        private TimeSpan _delay = FirstDelay;

        /// <summary>Waits and answers true, or answers false when it is too late for another attempt.</summary>
        public async ValueTask<bool> AgainAsync(CancellationToken cancellation)
        {
            var delay = _delay * retries.Jitter();
            if (retries.Time.GetElapsedTime(_began) + delay > retries.Total)
            {
                return false;
            }

            _delay = _delay * 2 < LongestDelay ? _delay * 2 : LongestDelay;
            await Task.Delay(delay, retries.Time, cancellation).ConfigureAwait(false);
            return true;
        }
    }

    private TimeProvider Time => time;

    private TimeSpan Total => budget;
}
