namespace KawaOrleans.Client.Tests;

/// <summary>The segment grain that a client calls: a segment at a node, whether or not that node has it.</summary>
internal sealed class FakeSegment(FakeCluster cluster, Guid id, string node) : ISegmentGrain
{
    public ValueTask<AppendResult> Append(AppendRequest request, CancellationToken cancellation = default) => Call<AppendResult>(nameof(Append), log =>
    {
        log.Calls["Append"] = log.Calls.GetValueOrDefault("Append") + 1;
        var replica = log.Replica(id);
        using var block = EventBlock.Parse(request.Batches.Bytes);
        var isOpen = log.Segments.Single(segment => segment.Id == id).IsOpen;
        if (!isOpen || !replica.HasRoomFor(block))
        {
            return new SegmentEnded { Chain = isOpen ? log.ToldWhenFull(log) : null };
        }

        return replica.Runs.Take(request.Order) ? log.Append(replica, block, request.RetrySince) : new OutOfSequence();
    }, cancellation, new NotPrimary("it is not here"));

    public async ValueTask<ReadResult> Read(ReadRequest request, CancellationToken cancellation = default)
    {
        var result = await ReadNow(request, cancellation);
        if (request.Wait > TimeSpan.Zero && result.Next == request.From && !result.AtEndOfSegment)
        {
            await Task.Delay(request.Wait, cluster.Time, cancellation);
            result = await ReadNow(request, cancellation);
        }

        return result;
    }

    public ValueTask<ReadResult> ReadEach(long[] positions, long atLeast = 0, CancellationToken cancellation = default) =>
        Call(nameof(ReadEach), log => log.Replica(id).ReadEach(positions), cancellation);

    private ValueTask<ReadResult> ReadNow(ReadRequest request, CancellationToken cancellation) =>
        Call(nameof(Read), log => log.Replica(id).Read(request, !log.Segments.Single(segment => segment.Id == id).IsOpen), cancellation);

    public ValueTask<StreamReadResult> ReadStream(StreamReadRequest request, CancellationToken cancellation = default) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<StreamStanding?>> FindStreams(IReadOnlyList<string> streams, long atLeast = 0, CancellationToken cancellation = default) => throw new NotSupportedException();

    public ValueTask<StreamListResult> ListStreams(StreamListRequest request, CancellationToken cancellation = default) => throw new NotSupportedException();

    public ValueTask Doubt() => ValueTask.CompletedTask;

    public ValueTask Flush(CancellationToken cancellation = default) => throw new NotSupportedException();

    public ValueTask<SegmentStats> GetStats(CancellationToken cancellation = default) => Call<SegmentStats>(nameof(GetStats), _ => null!, cancellation);

    public ValueTask<AggregationResult> Aggregate(AggregationQuery query, CancellationToken cancellation = default) => throw new NotSupportedException();

    private ValueTask<T> Call<T>(string call, Func<FakeLog, T> execute, CancellationToken cancellation, T? unlessHere = null)
        where T : class => new(cluster.Call(
            call,
            node,
            () => cluster.Owner(id, node) is { } log ? execute(log) : unlessHere ?? throw new SegmentFaultedException(id, node, "no such file here"),
            cancellation));
}
