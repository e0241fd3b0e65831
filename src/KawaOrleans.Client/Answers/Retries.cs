namespace KawaOrleans.Client;

/// <summary>How often and when something is tried again: until <paramref name="retryFor"/> after its beginning, at growing, jittered distances.
/// And how long, with all its attempts and all the calls they are made of, it bears silence.</summary>
internal sealed class Retries(TimeSpan retryFor, TimeSpan silence, TimeProvider time, Random random)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>The least a call is waited for, however late it began: what it takes when nothing is wrong.</summary>
    private static readonly TimeSpan LeastPatience = TimeSpan.FromMilliseconds(100);

    public Budget Begin() => new(this);

    /// <summary>Makes a call without effects until it succeeds, fails for good, or the budget is spent; then the last error is thrown.</summary>
    public Task<T> RunAsync<T>(Func<Budget, CancellationToken, Task<T>> call, CancellationToken cancellation) =>
        RunAsync(Begin(), call, cancellation);

    /// <summary>The same as a part of something larger, whose budget it shares.</summary>
    public static async Task<T> RunAsync<T>(Budget budget, Func<Budget, CancellationToken, Task<T>> call, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return await call(budget, cancellation).ConfigureAwait(false);
            }
            catch (KawaException e) when (Failure.IsWorthAnotherRead(e))
            {
                if (!await budget.AgainAsync(cancellation).ConfigureAwait(false))
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

        /// <summary>How long the next callee may be silent: less, the longer the whole has taken already. Two callees that lived on
        /// the same dead node are not waited for one after the other.</summary>
        public TimeSpan Patience
        {
            get
            {
                var left = retries.Longest - retries.Time.GetElapsedTime(_began);
                return left < LeastPatience ? LeastPatience : left < retries.Silence ? left : retries.Silence;
            }
        }

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

    private TimeSpan Total => retryFor;

    private TimeSpan Silence => silence;

    private TimeSpan Longest => (retryFor > silence ? retryFor : silence) + LeastPatience;
}
