namespace KawaOrleans.Client;

/// <summary>Calls to the grain that coordinates one log: one attempt each, and a typed error when no answer comes
/// within the caller's patience, which is never more than the client's.</summary>
/// <remarks>The grain's silo may have died without the cluster knowing. So when it is silent for a third of the patience, the same is asked of
/// a silo that this client is connected to, and for a while that one is asked first. If it is silent too, it stands still or cannot reach the others, and the
/// next question goes by another one.</remarks>
internal sealed class LogDirectory(string log, ISegmentDirectoryGrain grain, Func<int, ISegmentDirectoryGrain> nearby, AnswerWatch watch, TimeProvider time)
{
    // By then the cluster has found another silo for it. Asked too early, it costs a third of the patience again.
    private static readonly TimeSpan PassedOverFor = TimeSpan.FromSeconds(10);

    // By so many keys there is hardly a gateway that none goes by.
    private const int Turns = 8;

    private readonly string _callee = $"directory of log '{log}'";

    // When it was last found silent; 0: never.
    private long _silentSince;
    private int _turn;

    public string LogName => log;

    public Task<Chain> GetChainAsync(TimeSpan patience, CancellationToken cancellation) =>
        AskAsync((directory, token) => directory.GetChain(token), isCheap: true, patience, cancellation);

    /// <summary>Waits for an answer that somebody else asked for.</summary>
    public Task<Chain> JoinAsync(Task<Chain> answer, TimeSpan patience, CancellationToken cancellation) =>
        answer.IsCompleted ? answer : WaitAsync(answer, patience, cancellation);

    public Task<Chain> OpenWriteSegmentAsync(Guid? after, int batchBytes, CancellationToken cancellation) =>
        AskAsync((directory, token) => directory.OpenWriteSegment(after, batchBytes, token), isCheap: false, TimeSpan.MaxValue, cancellation);

    public Task<Chain> CreateAsync(LogOptions options, TimeSpan patience, CancellationToken cancellation) =>
        AskAsync((directory, token) => directory.Create(options, token), isCheap: false, patience, cancellation);

    public Task<RangePlan> PlanAsync(RangeQuery query, TimeSpan patience, CancellationToken cancellation) =>
        AskAsync((directory, token) => directory.Plan(query, token), isCheap: false, patience, cancellation);

    public Task<AggregationResult> AggregateAsync(AggregationQuery query, TimeSpan patience, CancellationToken cancellation) =>
        AskAsync((directory, token) => directory.Aggregate(query, token), isCheap: false, patience, cancellation);

    public Task<LogDescription> DescribeAsync(TimeSpan patience, CancellationToken cancellation) =>
        AskAsync((directory, token) => directory.Describe(token), isCheap: false, patience, cancellation);

    /// <summary>Not asked twice: the second would find nothing to delete.</summary>
    public Task DeleteAsync(CancellationToken cancellation) => TypedAsync(
        watch.AwaitAsync(
            _callee,
            async token =>
            {
                await grain.Delete(token).ConfigureAwait(false);
                return true;
            },
            token => GivesSign(grain, token),
            TimeSpan.Zero,
            cancellation),
        cancellation);

    private bool IsPassedOver => Volatile.Read(ref _silentSince) is var since and not 0 && time.GetElapsedTime(since) < PassedOverFor;

    private static async Task<bool> GivesSign(ISegmentDirectoryGrain directory, CancellationToken cancellation)
    {
        try
        {
            await directory.GetChain(cancellation).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is KawaException || Failure.IsOnTheWay(e, cancellation))
        {
            return e is KawaException;
        }
    }

    private Task<Chain> WaitAsync(Task<Chain> answer, TimeSpan patience, CancellationToken cancellation) =>
        TypedAsync(watch.Within(patience).AwaitAsync(_callee, answer, null, TimeSpan.Zero, cancellation), cancellation);

    private async Task<T> AskAsync<T>(
        Func<ISegmentDirectoryGrain, CancellationToken, Task<T>> call, bool isCheap, TimeSpan patience, CancellationToken cancellation)
    {
        var within = watch.Within(patience);
        if (IsPassedOver)
        {
            return await AskNearby(within).ConfigureAwait(false);
        }

        try
        {
            return await Ask(grain, within.Part(1, of: 3)).ConfigureAwait(false);
        }
        catch (Exception e) when (Failure.IsOnTheWay(e, cancellation))
        {
            Volatile.Write(ref _silentSince, Math.Max(1, time.GetTimestamp()));
            return await AskNearby(within.Part(2, of: 3)).ConfigureAwait(false);
        }

        async Task<T> AskNearby(AnswerWatch watched)
        {
            var turn = Volatile.Read(ref _turn);
            try
            {
                return await TypedAsync(Ask(nearby(turn), watched), cancellation).ConfigureAwait(false);
            }
            catch (DirectoryUnavailableException)
            {
                Interlocked.CompareExchange(ref _turn, (turn + 1) % Turns, turn);
                throw;
            }
        }

        Task<T> Ask(ISegmentDirectoryGrain directory, AnswerWatch watched) => watched.AwaitAsync(
            _callee, token => call(directory, token), isCheap ? null : token => GivesSign(directory, token), TimeSpan.Zero, cancellation);
    }

    private async Task<T> TypedAsync<T>(Task<T> answer, CancellationToken cancellation)
    {
        try
        {
            return await answer.ConfigureAwait(false);
        }
        catch (Exception e) when (Failure.IsOnTheWay(e, cancellation))
        {
            throw new DirectoryUnavailableException(_callee, e.Message, e);
        }
    }
}
