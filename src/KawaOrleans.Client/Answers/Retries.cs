namespace KawaOrleans.Client;

/// <summary>How often and when something is tried again: until <paramref name="retryFor"/> after its beginning, at growing, jittered distances.
/// And how long, with all its attempts and all the calls they are made of, it bears silence.</summary>
internal sealed class Retries(TimeSpan retryFor, TimeSpan silence, TimeProvider time, Random random)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>The least a call is waited for, however late it began: what it takes when nothing is wrong.</summary>
    public static readonly TimeSpan LeastPatience = TimeSpan.FromMilliseconds(100);

    // What a fail-over takes, with a silent node and a silent directory behind each other, and a silo's restart on top.
    private static readonly TimeSpan LeastForReplicas = TimeSpan.FromSeconds(10);

    /// <summary>The same for appends to a log of several replicas, which other nodes go on taking after a while.</summary>
    public Retries ForReplicas() => retryFor < LeastForReplicas ? new Retries(LeastForReplicas, silence, time, random) : this;

    public Budget Begin() => new(this);

    public Backoff NewBackoff() => new(this);

    /// <summary>True when another attempt, so long from now, is not too late for what began (or failed first) then.</summary>
    public bool HasTimeFor(TimeSpan delay, long began) => time.GetElapsedTime(began) + delay <= retryFor;

    /// <summary>The latest beginning of what is too late for another attempt so long from now.</summary>
    public long LatestWithoutTimeFor(TimeSpan delay) => time.GetTimestamp() + Ticks(delay - retryFor) - 1;

    /// <summary>In units of the clock's timestamps.</summary>
    public long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    /// <summary>How long the next callee may be silent: less, the longer that which began then has taken already. Two callees that lived on
    /// the same dead node are not waited for one after the other.</summary>
    public TimeSpan PatienceSince(long began)
    {
        var left = Longest - time.GetElapsedTime(began);
        return left < LeastPatience ? LeastPatience : left < silence ? left : silence;
    }

    /// <summary>True when another attempt, so long from now, still has some of the patience for what began then.</summary>
    public bool HasPatienceFor(TimeSpan delay, long began) => time.GetElapsedTime(began) + delay <= Longest;

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
        private Backoff? _backoff;

        /// <summary>See <see cref="PatienceSince"/>.</summary>
        public TimeSpan Patience => retries.PatienceSince(_began);

        /// <summary>Waits and answers true, or answers false when it is too late for another attempt.</summary>
        public async ValueTask<bool> AgainAsync(CancellationToken cancellation)
        {
            var delay = (_backoff ??= retries.NewBackoff()).Next();
            if (!retries.HasTimeFor(delay, _began))
            {
                return false;
            }

            await Task.Delay(delay, retries.Time, cancellation).ConfigureAwait(false);
            return true;
        }
    }

    private TimeProvider Time => time;

    private TimeSpan Longest => (retryFor > silence ? retryFor : silence) + LeastPatience;
}
