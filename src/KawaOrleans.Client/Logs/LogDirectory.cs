namespace KawaOrleans.Client;

/// <summary>Calls to the grain that coordinates one log: one attempt each, and a typed error when no answer comes
/// within the caller's patience, which is never more than the client's.</summary>
internal sealed class LogDirectory(string log, ISegmentDirectoryGrain grain, AnswerWatch watch)
{
    private readonly string _callee = $"directory of log '{log}'";

    public string LogName => log;

    public Task<Chain> GetChainAsync(TimeSpan patience, CancellationToken cancellation) =>
        AskAsync(grain.GetChain, isCheap: true, patience, cancellation);

    /// <summary>Waits for an answer that somebody else asked for.</summary>
    public Task<Chain> JoinAsync(Task<Chain> answer, TimeSpan patience, CancellationToken cancellation) =>
        answer.IsCompleted ? answer : AskAsync(_ => answer, isCheap: true, patience, cancellation);

    public Task<Chain> OpenWriteSegmentAsync(Guid? after, int batchBytes, CancellationToken cancellation) =>
        AskAsync(token => grain.OpenWriteSegment(after, batchBytes, token), isCheap: false, TimeSpan.MaxValue, cancellation);

    public Task<Chain> CreateAsync(LogOptions options, TimeSpan patience, CancellationToken cancellation) =>
        AskAsync(token => grain.Create(options, token), isCheap: false, patience, cancellation);

    public Task<RangePlan> PlanAsync(RangeQuery query, TimeSpan patience, CancellationToken cancellation) =>
        AskAsync(token => grain.Plan(query, token), isCheap: false, patience, cancellation);

    public Task<AggregationResult> AggregateAsync(AggregationQuery query, TimeSpan patience, CancellationToken cancellation) =>
        AskAsync(token => grain.Aggregate(query, token), isCheap: false, patience, cancellation);

    public Task<LogDescription> DescribeAsync(TimeSpan patience, CancellationToken cancellation) =>
        AskAsync(grain.Describe, isCheap: false, patience, cancellation);

    public Task DeleteAsync(CancellationToken cancellation) => AskAsync(
        async token =>
        {
            await grain.Delete(token).ConfigureAwait(false);
            return true;
        },
        isCheap: false,
        TimeSpan.MaxValue,
        cancellation);

    private async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> call, bool isCheap, TimeSpan patience, CancellationToken cancellation)
    {
        try
        {
            return await watch.Within(patience).AwaitAsync(_callee, call, isCheap ? null : GivesSign, TimeSpan.Zero, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (Failure.IsOnTheWay(e, cancellation))
        {
            throw new DirectoryUnavailableException(_callee, e.Message, e);
        }
    }

    private async Task<bool> GivesSign(CancellationToken cancellation)
    {
        try
        {
            await grain.GetChain(cancellation).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is KawaException || Failure.IsOnTheWay(e, cancellation))
        {
            return e is KawaException;
        }
    }
}
