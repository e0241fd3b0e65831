using KawaOrleans.Format;
using KawaOrleans.Server.Segments;
using KawaOrleans.Storage;
using Orleans.Runtime;

namespace KawaOrleans.Client.Tests.Streams;

/// <summary>One log on one node, of the engine's own segments in a directory. Between them and the client there is nothing but what a test puts
/// there: so what goes wrong is wrong in the client.</summary>
internal sealed class EngineLog : IGrains, ISegmentDirectoryGrain, IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"kawa-{Guid.NewGuid():N}");
    private readonly NodeStore _store;
    private readonly LogOptions _options = new() { SegmentBytes = Limits.MinSegmentBytes };
    private readonly ChainNode[] _nodes;
    private readonly Dictionary<Guid, EngineSegment> _grains = [];
    private readonly Guid _logId = Guid.NewGuid();
    private Chain _chain;

    /// <param name="nodes">How many nodes the chain names for each segment; whichever is called, the one segment answers.</param>
    public EngineLog(int nodes = 1)
    {
        _nodes = [.. Enumerable.Range(0, nodes).Select(static n => new ChainNode($"node-{n}", Guid.NewGuid()))];
        _store = NodeStore.Open(_directory, _nodes[0].Name, Time);
        _chain = new Chain { LogId = _logId, LogName = "orders", Version = 1, Options = _options, Segments = [], Epoch = 0 };
        Log = NewClient();
    }

    /// <summary>The clock of client and node.</summary>
    public ShiftedTime Time { get; } = new();

    public ILog Log { get; }

    /// <summary>What segments are asked, and what they answer; a test may change both, or have an answer lost by an exception.</summary>
    public Tampering Tampering { get; } = new();

    public IReadOnlyList<ChainSegment> Segments => _chain.Segments;

    public IEventStoreGrain EventStore => throw new NotSupportedException();

    /// <summary>The log as another client sees it, which knows nothing yet.</summary>
    public ILog NewClient() => new EventStoreClient(this, new KawaClientOptions { ReadBlockBytes = 4096 }, Time).Log("orders");

    /// <summary>All that is in the log.</summary>
    public async Task<List<RecordedEvent>> AllAsync() => await NewClient().ReadAsync().ToListAsync();

    /// <summary>What a segment answers, whatever a test makes of it.</summary>
    public StreamReadResult Read(Guid segmentId, StreamReadRequest request) => StreamReads.Read(_grains[segmentId].Engine, request);

    /// <summary>Goes on in the next segment.</summary>
    public void Roll() => OpenWriteSegment(Segments[^1].Id, 0);

    public ISegmentDirectoryGrain Directory(string log) => this;

    public ISegmentDirectoryGrain DirectoryNearby(string log, int turn) => this;

    public ISegmentGrain Segment(Guid segmentId, string node)
    {
        lock (_grains)
        {
            return _grains[segmentId];
        }
    }

    public Task<Chain> GetChain(CancellationToken cancellation = default) => Task.FromResult(_chain);

    public Task<Chain> OpenWriteSegment(Guid? after, int batchBytes, CancellationToken cancellation = default)
    {
        lock (_grains)
        {
            if (Segments.Count == 0 || Segments[^1].Id == after)
            {
                Open();
            }

            return Task.FromResult(_chain);
        }
    }

    public Task<Chain> Create(LogOptions options, CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<RangePlan> Plan(RangeQuery query, CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<LogDescription> Describe(CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<AggregationResult> Aggregate(AggregationQuery query, CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task Delete(CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<Chain> Rebuild(IReadOnlyList<string> givenUpNodes, CancellationToken cancellation = default) => throw new NotSupportedException();

    public void Dispose()
    {
        _store.Dispose();
        System.IO.Directory.Delete(_directory, recursive: true);
    }

    private void Open()
    {
        var last = Segments.Count == 0 ? null : Segments[^1];
        var ended = last is null ? null : _grains[last.Id].End();
        var tail = ended?.Tail ?? default;
        var epoch = _chain.Epoch + 1;
        var segment = _store.Create(
            new SegmentHeader
            {
                Identity = new SegmentIdentity(Guid.NewGuid(), 0, epoch),
                LogId = _logId,
                LogName = _chain.LogName,
                BasePosition = tail.Position,
                FileBytes = _options.SegmentBytes,
                Ensemble = [_nodes[0].Id],
                ChainVersion = _chain.Version,
                Predecessor = last?.Id,
                TimestampFloor = tail.LastTimestamp,
            },
            Durability.Durable);
        var writer = segment.OpenWriter(Guid.NewGuid(), ended?.TakeMemory() ?? new WriterMemory(1 << 20, tail.Position));
        var listed = new ChainSegment
        {
            Id = segment.Header.Identity.Id, Generation = 0, Epoch = epoch, Base = tail.Position, End = null, Ensemble = _nodes, AckQuorum = 1, FileBytes = _options.SegmentBytes,
        };
        _grains.Add(listed.Id, new EngineSegment(segment, writer, Tampering));
        _chain = _chain with
        {
            Version = _chain.Version + 1,
            Epoch = epoch,
            Segments = [.. Segments.Select(one => one.IsOpen ? one with { End = tail.Position } : one), listed],
        };
    }
}
