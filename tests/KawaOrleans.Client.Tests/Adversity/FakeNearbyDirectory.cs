namespace KawaOrleans.Client.Tests;

/// <summary>The same log's directory on a silo that the client is connected to.</summary>
internal sealed class FakeNearbyDirectory(FakeCluster cluster, FakeLog log, int turn) : ISegmentDirectoryGrain
{
    public Task<Chain> GetChain(CancellationToken cancellation = default) => log.GetChain(Name(nameof(GetChain)), cancellation);

    public Task<Chain> OpenWriteSegment(Guid? after, int batchBytes, CancellationToken cancellation = default) =>
        log.OpenWriteSegment(Name(nameof(OpenWriteSegment)), after, cancellation);

    public Task<Chain> Create(LogOptions options, CancellationToken cancellation = default) => log.Create(options, cancellation);

    public Task<RangePlan> Plan(RangeQuery query, CancellationToken cancellation = default) => log.Plan(query, cancellation);

    public Task<LogDescription> Describe(CancellationToken cancellation = default) => log.Describe(cancellation);

    public Task<AggregationResult> Aggregate(AggregationQuery query, CancellationToken cancellation = default) => log.Aggregate(query, cancellation);

    public Task Delete(CancellationToken cancellation = default) => log.Delete(cancellation);

    public Task<Chain> Rebuild(IReadOnlyList<string> givenUpNodes, CancellationToken cancellation = default) => log.Rebuild(givenUpNodes, cancellation);

    private string Name(string call) => cluster.NearbyIsApart ? $"Nearby{turn}{call}" : call;
}
