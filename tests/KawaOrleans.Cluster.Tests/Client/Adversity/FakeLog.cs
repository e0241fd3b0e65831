namespace KawaOrleans.Cluster.Tests.Client;

/// <summary>One log in memory: the truth that a client's view is compared with.</summary>
internal sealed class FakeLog(FakeCluster cluster, string name) : ISegmentDirectoryGrain
{
    private readonly List<(ChainSegment Listed, FakeReplica Replica)> _segments = [];
    private readonly LogOptions _options = new() { SegmentBytes = 64 * 1024 };
    private Guid _id = Guid.NewGuid();
    private long _version = 1;

    public bool Exists { get; set; }

    public int EventsPerSegment { get; set; } = 20;

    /// <summary>Executed calls by name.</summary>
    public Dictionary<string, int> Calls { get; } = [];

    public IEnumerable<ChainSegment> Segments => _segments.Select(static segment => segment.Listed);

    public IReadOnlyList<RecordedEvent> Events => [.. _segments.SelectMany(static segment => segment.Replica.Events)];

    public long End => _segments.Count == 0 ? 0 : _segments[^1].Replica.End;

    public FakeReplica Replica(Guid segmentId) => _segments.Single(segment => segment.Listed.Id == segmentId).Replica;

    /// <summary>Ends the open segment, so that writers have to ask for the next.</summary>
    public void Seal()
    {
        if (_segments.Count > 0 && _segments[^1].Listed.IsOpen)
        {
            _segments[^1] = (_segments[^1].Listed with { End = _segments[^1].Replica.End }, _segments[^1].Replica);
            _version++;
        }
    }

    /// <summary>Gives a segment to another node; the old one no longer knows it.</summary>
    public void Move(int index, string node)
    {
        _segments[index] = (_segments[index].Listed with { Ensemble = [new ChainNode(node, Guid.NewGuid())] }, _segments[index].Replica);
        _version++;
    }

    /// <summary>Deletes the log and creates it anew, empty.</summary>
    public void Recreate()
    {
        _segments.Clear();
        (_id, _version) = (Guid.NewGuid(), 1);
    }

    public Task<Chain> Create(LogOptions options, CancellationToken cancellation = default) => Call(nameof(Create), () =>
    {
        Exists = true;
        return Chain();
    }, cancellation);

    public Task<Chain> GetChain(CancellationToken cancellation = default) => Call(nameof(GetChain), Chain, cancellation);

    public Task<Chain> OpenWriteSegment(Guid? after, int batchBytes, CancellationToken cancellation = default) => Call(nameof(OpenWriteSegment), () =>
    {
        Exists = true;
        if (_segments.Count == 0 || !_segments[^1].Listed.IsOpen || _segments[^1].Listed.Id == after)
        {
            Seal();
            Open();
        }

        return Chain();
    }, cancellation);

    public Task<RangePlan> Plan(RangeQuery query, CancellationToken cancellation = default) => Call(nameof(Plan), () =>
    {
        var end = Math.Min(query.To, End);
        var first = Math.Min(query.From, end);
        var slices = from segment in _segments
                     let sliceFrom = Math.Max(first, segment.Replica.Base)
                     let sliceTo = Math.Min(end, segment.Replica.End)
                     where sliceFrom < sliceTo
                     select new RangeSlice(segment.Listed.Id, segment.Listed.Primary, sliceFrom, sliceTo);
        return new RangePlan { LogId = _id, ChainVersion = Chain().Version, From = first, To = end, Slices = [.. slices] };
    }, cancellation);

    public Task<LogDescription> Describe(CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<AggregationResult> Aggregate(AggregationQuery query, CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task Delete(CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<Chain> Rebuild(IReadOnlyList<string> givenUpNodes, CancellationToken cancellation = default) => throw new NotSupportedException();

    private void Open()
    {
        var replica = new FakeReplica(Guid.NewGuid(), _version, End, EventsPerSegment);
        var node = $"node-{_segments.Count % 3}";
        _segments.Add((new ChainSegment
        {
            Id = replica.Id, Generation = 0, Epoch = _version, Base = replica.Base, End = null,
            Ensemble = [new ChainNode(node, Guid.NewGuid())], AckQuorum = 1, FileBytes = 64 * 1024,
        }, replica));
        _version++;
    }

    private Chain Chain() => !Exists
        ? throw new UnknownLogException(name)
        : new Chain { LogId = _id, LogName = name, Version = _version, Options = _options, Segments = [.. Segments], Epoch = _version };

    private Task<T> Call<T>(string call, Func<T> execute, CancellationToken cancellation) => cluster.Call(
        call,
        "directory",
        () =>
        {
            Calls[call] = Calls.GetValueOrDefault(call) + 1;
            return execute();
        },
        cancellation);
}
