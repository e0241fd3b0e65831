using KawaOrleans.Server.Segments;
using KawaOrleans.Storage;

namespace KawaOrleans.Client.Tests;

/// <summary>One log in memory: the truth that a client's view is compared with.</summary>
internal sealed class FakeLog(FakeCluster cluster, string name) : ISegmentDirectoryGrain
{
    private readonly List<(ChainSegment Listed, FakeReplica Replica)> _segments = [];
    private readonly LogOptions _options = new() { SegmentBytes = 64 * 1024 };
    private Guid _id = Guid.NewGuid();
    private long _version = 1;

    public bool Exists { get; set; }

    /// <summary>What the writer remembers of the newest events.</summary>
    public WriterMemory Memory { get; set; } = new(1 << 20, 0);

    public int EventsPerSegment { get; set; } = 20;

    /// <summary>How many nodes hold each new segment.</summary>
    public int Replicas { get; set; } = 1;

    /// <summary>False: a segment that is reported goes on.</summary>
    public bool BelievesReports { get; set; } = true;

    /// <summary>What the writer of a segment that is full says of the log: the chain that it goes on by, or null.</summary>
    public Func<FakeLog, Chain?> ToldWhenFull { get; set; } = static _ => null;

    /// <summary>Executed calls by name.</summary>
    public Dictionary<string, int> Calls { get; } = [];

    public IEnumerable<ChainSegment> Segments => _segments.Select(static segment => segment.Listed);

    public IReadOnlyList<RecordedEvent> Events => [.. _segments.SelectMany(static segment => segment.Replica.Events)];

    public long End => _segments.Count == 0 ? 0 : _segments[^1].Replica.End;

    public FakeReplica Replica(Guid segmentId) => _segments.Single(segment => segment.Listed.Id == segmentId).Replica;

    /// <summary>The real rules of a writer, on frames in memory.</summary>
    public AppendResult Append(FakeReplica replica, EventBlock block, long? retrySince)
    {
        var first = End;
        var outcomes = new BatchOutcome[block.BatchCount];
        var (bytesBegin, eventsBegin) = (0, 0);
        for (var i = 0; i < outcomes.Length; i++)
        {
            var (bytesEnd, eventsEnd) = block.Batches[i];
            outcomes[i] = Memory.Decide(block, eventsBegin, eventsEnd, retrySince, DateTimeOffset.UnixEpoch.UtcTicks);
            if (outcomes[i].Fate == BatchFate.Written)
            {
                replica.Append(block.Bytes.Span[bytesBegin..bytesEnd]);
            }

            (bytesBegin, eventsBegin) = (bytesEnd, eventsEnd);
        }

        var all = outcomes.All(static outcome => outcome.Fate == BatchFate.Written);
        return AppendAnswer.Of(new AppendedBlock(first, (int)(End - first), DateTimeOffset.UnixEpoch.UtcTicks, all ? null : outcomes));
    }

    /// <summary>The writer starts anew: it knows no sender any more, and has read back the ids of as many events.</summary>
    public void Restart(int remembered)
    {
        var memory = new WriterMemory(1 << 20, Math.Max(0, End - remembered));
        foreach (var replica in _segments.Select(static segment => segment.Replica))
        {
            replica.Runs = new BlockRuns();
            memory.Add(replica.Remember(memory.End));
        }

        Memory = memory;
    }

    /// <summary>Ends the open segment, so that writers have to ask for the next.</summary>
    public void Seal()
    {
        if (_segments.Count > 0 && _segments[^1].Listed.IsOpen)
        {
            _segments[^1] = (_segments[^1].Listed with { End = _segments[^1].Replica.End }, _segments[^1].Replica);
            _version++;
        }
    }

    /// <summary>Opens the next segment, as its writer does.</summary>
    public Chain Roll()
    {
        Seal();
        Open();
        return Chain();
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
        Memory = new WriterMemory(1 << 20, 0);
        (_id, _version) = (Guid.NewGuid(), 1);
    }

    public Task<Chain> Create(LogOptions options, CancellationToken cancellation = default) => Call(nameof(Create), () =>
    {
        Exists = true;
        return Chain();
    }, cancellation);

    public Task<Chain> GetChain(CancellationToken cancellation = default) => GetChain(nameof(GetChain), cancellation);

    public Task<Chain> GetChain(string call, CancellationToken cancellation) => Call(call, Chain, cancellation);

    public Task<Chain> OpenWriteSegment(Guid? after, int batchBytes, CancellationToken cancellation = default) =>
        OpenWriteSegment(nameof(OpenWriteSegment), after, cancellation);

    public Task<Chain> OpenWriteSegment(string call, Guid? after, CancellationToken cancellation) => Call(call, () =>
    {
        Exists = true;
        if (_segments.Count == 0 || !_segments[^1].Listed.IsOpen || (BelievesReports && _segments[^1].Listed.Id == after))
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
                     select new RangeSlice(segment.Listed.Id, [segment.Listed.Primary], sliceFrom, sliceTo);
        return new RangePlan { LogId = _id, ChainVersion = Chain().Version, From = first, To = end, Slices = [.. slices] };
    }, cancellation);

    public Task<LogDescription> Describe(CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<AggregationResult> Aggregate(AggregationQuery query, CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task Delete(CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<Chain> Rebuild(IReadOnlyList<string> givenUpNodes, CancellationToken cancellation = default) => throw new NotSupportedException();

    private void Open()
    {
        var replica = new FakeReplica(Guid.NewGuid(), _version, End, EventsPerSegment);
        var first = _segments.Count;
        _segments.Add((new ChainSegment
        {
            Id = replica.Id, Generation = 0, Epoch = _version, Base = replica.Base, End = null,
            Ensemble = [.. Enumerable.Range(first, Replicas).Select(static node => new ChainNode($"node-{node % 3}", Guid.NewGuid()))],
            AckQuorum = (Replicas / 2) + 1, FileBytes = 64 * 1024,
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
