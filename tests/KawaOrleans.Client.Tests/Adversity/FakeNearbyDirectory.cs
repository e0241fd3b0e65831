namespace KawaOrleans.Client.Tests;

/// <summary>The same log's directory on the silo that the client is connected to; its calls are named <c>Nearby…</c>.</summary>
internal sealed class FakeNearbyDirectory(FakeLog log) : ISegmentDirectoryGrain
{
    public Task<Chain> GetChain(CancellationToken cancellation = default) => log.GetChain("NearbyGetChain", cancellation);

    public Task<Chain> OpenWriteSegment(Guid? after, int batchBytes, CancellationToken cancellation = default) =>
        log.OpenWriteSegment("NearbyOpenWriteSegment", after, cancellation);

    public Task<Chain> Create(LogOptions options, CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<RangePlan> Plan(RangeQuery query, CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<LogDescription> Describe(CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<AggregationResult> Aggregate(AggregationQuery query, CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task Delete(CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<Chain> Rebuild(IReadOnlyList<string> givenUpNodes, CancellationToken cancellation = default) => throw new NotSupportedException();
}
