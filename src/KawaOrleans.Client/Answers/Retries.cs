namespace KawaOrleans.Client;

/// <summary>How often and when something is tried again: until <paramref name="budget"/> after its beginning, at growing, jittered distances.</summary>
internal sealed class Retries(TimeSpan budget, TimeProvider time, Random random)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(250);

    public Budget Begin() => new(this);

    public Backoff NewBackoff() => new(this);

    /// <summary>True when another attempt, so long from now, is not too late for what began (or failed first) then.</summary>
    public bool HasTimeFor(TimeSpan delay, long began) => time.GetElapsedTime(began) + delay <= budget;

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

    /// <summary>The distances between attempts that follow each other without success.</summary>
    internal sealed class Backoff(Retries retries)
    {
        private TimeSpan _delay = FirstDelay;

        public TimeSpan Next()
        {
            var delay = _delay * retries.Jitter();
            _delay = _delay * 2 < LongestDelay ? _delay * 2 : LongestDelay;
            return delay;
        }

        public void Reset() => _delay = FirstDelay;
    }

    /// <summary>The attempts at one thing.</summary>
    internal sealed class Budget(Retries retries)
    {
        private readonly long _began = retries.Time.GetTimestamp();
        private readonly Backoff _backoff = retries.NewBackoff();

        /// <summary>Waits and answers true, or answers false when it is too late for another attempt.</summary>
        public async ValueTask<bool> AgainAsync(CancellationToken cancellation)
        {
            var delay = _backoff.Next();
            if (!retries.HasTimeFor(delay, _began))
            {
                return false;
            }

            await Task.Delay(delay, retries.Time, cancellation).ConfigureAwait(false);
            return true;
        }
    }

    private TimeProvider Time => time;
}
