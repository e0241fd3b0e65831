using System.Runtime.ExceptionServices;

namespace KawaOrleans.Client;

/// <summary>Calls to the grain that coordinates one log: one attempt each, and a typed error when no answer comes
/// within the caller's patience, which is never more than the client's.</summary>
/// <remarks>The grain's silo may have died without the cluster knowing, or be cut off from the others, and then it says truly that it cannot do what the
/// log can. So when it is silent for a third of the patience, or cannot for now, the same is asked of a silo that this client is connected to; if that
/// one answers, it is asked first for a while. If it does not either, the next question goes by another one.</remarks>
internal sealed class LogDirectory(string log, ISegmentDirectoryGrain grain, Func<int, ISegmentDirectoryGrain> nearby, AnswerWatch watch, TimeProvider time)
{
    // By then the cluster has found another silo for it. Asked too early, it costs a third of the patience again.
    private static readonly TimeSpan PassedOverFor = TimeSpan.FromSeconds(10);

    // What one silo cannot, usually none can, and each that is asked fences and probes: all callers of this log ask one other so often.
    private static readonly TimeSpan BetweenSecondOpinions = TimeSpan.FromMilliseconds(500);

    // By so many keys there is hardly a gateway that none goes by.
    private const int Turns = 8;

    private readonly string _callee = $"directory of log '{log}'";

    // When another one was last needed in its place, and when one was last asked because it could not; 0: never.
    private long _passedOver;
    private long _secondOpinion;
    private int _turn;

    // What the first one said while another is asked: who does not wait for that one is told this.
    private volatile KawaException? _inDoubt;

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

    private bool IsPassedOver => Volatile.Read(ref _passedOver) is var since and not 0 && time.GetElapsedTime(since) < PassedOverFor;

    // Never 0, which means never.
    private long Now => Math.Max(1, time.GetTimestamp());

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

    private async Task<Chain> WaitAsync(Task<Chain> answer, TimeSpan patience, CancellationToken cancellation)
    {
        try
        {
            return await TypedAsync(watch.Within(patience).AwaitAsync(_callee, answer, null, TimeSpan.Zero, cancellation), cancellation).ConfigureAwait(false);
        }
        catch (DirectoryUnavailableException) when (_inDoubt is { } said)
        {
            ExceptionDispatchInfo.Throw(said);
            throw;
        }
    }

    private async Task<T> AskAsync<T>(
        Func<ISegmentDirectoryGrain, CancellationToken, Task<T>> call, bool isCheap, TimeSpan patience, CancellationToken cancellation)
    {
        var (within, began) = (watch.Within(patience), time.GetTimestamp());
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
            Volatile.Write(ref _passedOver, Now);
            return await AskNearby(within.Part(2, of: 3)).ConfigureAwait(false);
        }
        catch (KawaException cannot) when (cannot.IsRetryable && MayAskAnother())
        {
            var answer = await AskAnother(Volatile.Read(ref _turn), cannot).ConfigureAwait(false);
            Volatile.Write(ref _passedOver, Now);
            return answer;
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
                TurnFrom(turn);
                throw;
            }
            catch (KawaException cannot) when (cannot.IsRetryable && MayAskAnother())
            {
                return await AskAnother(TurnFrom(turn), cannot).ConfigureAwait(false);
            }
        }

        // What the first one said is the answer, unless this one can.
        async Task<T> AskAnother(int turn, KawaException cannot)
        {
            try
            {
                _inDoubt = cannot;
                var left = patience - time.GetElapsedTime(began);
                return await Ask(nearby(turn), watch.Within(left > Retries.LeastPatience ? left : Retries.LeastPatience).Part(1, of: 3)).ConfigureAwait(false);
            }
            catch (Exception e) when (e is KawaException { IsRetryable: true } || Failure.IsOnTheWay(e, cancellation))
            {
                TurnFrom(turn);
                ExceptionDispatchInfo.Throw(cannot);
                throw;
            }
            finally
            {
                _inDoubt = null;
            }
        }

        Task<T> Ask(ISegmentDirectoryGrain directory, AnswerWatch watched) => watched.AwaitAsync(
            _callee, token => call(directory, token), isCheap ? null : token => GivesSign(directory, token), TimeSpan.Zero, cancellation);
    }

    /// <summary>True for one of all that come in a while.</summary>
    private bool MayAskAnother()
    {
        var last = Volatile.Read(ref _secondOpinion);
        return (last == 0 || time.GetElapsedTime(last) >= BetweenSecondOpinions) && Interlocked.CompareExchange(ref _secondOpinion, Now, last) == last;
    }

    /// <summary>The turn after this one, which is every caller's from now on.</summary>
    private int TurnFrom(int turn)
    {
        Interlocked.CompareExchange(ref _turn, (turn + 1) % Turns, turn);
        return Volatile.Read(ref _turn);
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
