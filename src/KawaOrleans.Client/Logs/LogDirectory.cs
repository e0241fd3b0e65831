namespace KawaOrleans.Client;

/// <summary>Calls to the grain that coordinates one log: one attempt each, and a typed error when no answer comes.</summary>
internal sealed class LogDirectory(string log, ISegmentDirectoryGrain grain, AnswerWatch watch)
{
    private readonly string _callee = $"directory of log '{log}'";

    public string LogName => log;

    public Task<Chain> GetChainAsync(CancellationToken cancellation) => AskAsync(grain.GetChain, isCheap: true, cancellation);

    public Task<Chain> OpenWriteSegmentAsync(Guid? after, int batchBytes, CancellationToken cancellation) =>
        AskAsync(token => grain.OpenWriteSegment(after, batchBytes, token), isCheap: false, cancellation);

    public Task<Chain> CreateAsync(LogOptions options, CancellationToken cancellation) =>
        AskAsync(token => grain.Create(options, token), isCheap: false, cancellation);

    public Task<RangePlan> PlanAsync(RangeQuery query, CancellationToken cancellation) =>
        AskAsync(token => grain.Plan(query, token), isCheap: false, cancellation);

    public Task<AggregationResult> AggregateAsync(AggregationQuery query, CancellationToken cancellation) =>
        AskAsync(token => grain.Aggregate(query, token), isCheap: false, cancellation);

    public Task<LogDescription> DescribeAsync(CancellationToken cancellation) => AskAsync(grain.Describe, isCheap: false, cancellation);

    public Task DeleteAsync(CancellationToken cancellation) => AskAsync(
        async token =>
        {
            await grain.Delete(token).ConfigureAwait(false);
            return true;
        },
        isCheap: false,
        cancellation);

    private async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> call, bool isCheap, CancellationToken cancellation)
    {
        try
        {
            return await watch.AwaitAsync(_callee, call, isCheap ? null : GivesSign, TimeSpan.Zero, cancellation).ConfigureAwait(false);
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
