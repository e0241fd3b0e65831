namespace KawaOrleans.Client;

/// <summary>One log as this client knows it. Holds the chain it last saw; everything else lives as long as a call.</summary>
internal sealed class LogHandle : ILog
{
    private readonly LogDirectory _directory;
    private readonly ChainCache _chains;
    private readonly SegmentCalls _segments;
    private readonly Retries _retries;
    private readonly KawaClientOptions _options;
    private readonly TimeProvider _time;
    private readonly KnownEnd _end = new();
    private readonly WriteTargets _targets;
    private readonly EventProducer _shared;

    public LogHandle(string name, IGrains grains, AnswerWatch watch, Retries retries, KawaClientOptions options, TimeProvider time)
    {
        Name = name;
        _directory = new LogDirectory(name, grains.Directory(name), turn => grains.DirectoryNearby(name, turn), watch, time);
        _chains = new ChainCache(_directory);
        _segments = new SegmentCalls(grains, watch, time);
        _retries = retries;
        _options = options;
        _time = time;
        _targets = new WriteTargets(_chains, grains, watch, _end, time);
        _shared = NewProducer(new ProducerOptions());
    }

    public string Name { get; }

    public Task<Appended> AppendAsync(EventBatch batch, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return _shared.AppendAsync(batch, cancellation);
    }

    public Task<AppendResult> AppendAsync(EventBatch batch, StreamExpectations expected, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(expected);
        return _shared.AppendAsync(batch, expected, cancellation);
    }

    public IStreamHandle Stream(string name) => Names.WhyNotText(name) is { } reason
        ? throw new RequestRefusedException($"'{name}' is no name of a stream: {reason}.")
        : new StreamHandle(name, this, new StreamReader(name, _chains, _segments, _retries, _end, _options.ReadBlockBytes, _time));

    public IAsyncEnumerable<string> ListStreamsAsync(string prefix = "", CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        return new StreamList(_directory, new OneLog(_chains, _end), _segments, _retries, IsThereAsync).ReadAsync(prefix, cancellation);
    }

    public IEventProducer CreateProducer(ProducerOptions? options = null)
    {
        options ??= new ProducerOptions();
        return options.WhyNot() is { } reason
            ? throw new RequestRefusedException($"Log '{Name}' cannot have such a producer: {reason}.")
            : NewProducer(options);
    }

    public IAsyncEnumerable<RecordedEvent> ReadAsync(long from = 0, bool follow = false, CancellationToken cancellation = default) =>
        NewReader().ReadAsync(from, follow, cancellation);

    public IAsyncEnumerable<ReadBlock> ReadBlocksAsync(long from = 0, bool follow = false, CancellationToken cancellation = default) =>
        NewReader().ReadBlocksAsync(from, follow, cancellation);

    public Task<RecordedEvent?> TryReadAsync(long position, CancellationToken cancellation = default) =>
        NewReader().TryReadAsync(position, cancellation);

    public IAsyncEnumerable<RecordedEvent> QueryAsync(RangeQuery query, CancellationToken cancellation = default) =>
        new RangeReader(_directory, NewBlocks(), _retries, _end, _options.BlocksAhead, _options.ReadBlockBytes, _time).ReadAsync(query, cancellation);

    public Task<AggregationResult> AggregateAsync(AggregationQuery query, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (query.Range is { } range)
        {
            query = query with { Range = RangeReader.ForWhatIsSeen(range, _end) };
        }

        return _retries.RunAsync((budget, token) => _directory.AggregateAsync(query, budget.Patience, token), cancellation);
    }

    public Task FlushAsync(CancellationToken cancellation = default) => _retries.RunAsync(
        async (budget, token) =>
        {
            // Only the newest write segment may hold what is not on disk, so the chain is asked for, not remembered.
            var chain = await _directory.GetChainAsync(budget.Patience, token).ConfigureAwait(false);
            _chains.Keep(chain);
            if (chain.WriteSegment is { } segment)
            {
                await _segments.FlushAsync(segment, budget.Patience, token).ConfigureAwait(false);
            }

            return true;
        },
        cancellation);

    public Task<LogDescription> DescribeAsync(CancellationToken cancellation = default) =>
        _retries.RunAsync((budget, token) => _directory.DescribeAsync(budget.Patience, token), cancellation);

    public async Task CreateAsync(LogOptions options, CancellationToken cancellation) =>
        _chains.Keep(await _retries.RunAsync((budget, token) => _directory.CreateAsync(options, budget.Patience, token), cancellation).ConfigureAwait(false));

    public async Task DeleteAsync(CancellationToken cancellation)
    {
        _chains.Forget();
        await _directory.DeleteAsync(cancellation).ConfigureAwait(false);
    }

    private async Task<bool> IsThereAsync(string stream, CancellationToken cancellation)
    {
        var reader = new StreamReader(stream, _chains, _segments, _retries, _end, _options.ReadBlockBytes, _time);
        return StreamOutlook.StateAfter(await reader.LastOfAllAsync(cancellation).ConfigureAwait(false)) == StreamState.Live;
    }

    private EventProducer NewProducer(ProducerOptions options) => new(new AppendLine(Name, _targets, _end, _retries, _time, options));

    private LogReader NewReader() => new(NewBlocks(), _options.BlocksAhead, _options.ReadBlockBytes, _time);

    private BlockReader NewBlocks() => new(_chains, _segments, _retries, _end);
}
