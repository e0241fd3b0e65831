namespace KawaOrleans.Client;

/// <summary>The segment a line appends to, until it is told of another.</summary>
internal sealed class WriteTarget
{
    private readonly AnswerWatch _watch;
    private readonly ISegmentGrain _grain;
    private readonly string _callee;
    private readonly Func<CancellationToken, Task<bool>> _signOfLife;
    private readonly TimeProvider _time;
    private long _lastSign;

    public WriteTarget(Guid logId, ChainSegment segment, LogOptions options, ISegmentGrain grain, AnswerWatch watch, TimeProvider time)
    {
        HasOthers = segment.Ensemble.Count > 1;
        _watch = HasOthers ? watch.Part(1, of: 3) : watch;
        _grain = grain;
        _callee = $"node '{segment.Primary}'";
        _time = time;
        _signOfLife = GivesSign;
        LogId = logId;
        SegmentId = segment.Id;
        MaxEventBytes = Limits.MaxEventBytesFor(options.SegmentBytes);
    }

    public Guid LogId { get; }

    public Guid SegmentId { get; }

    /// <summary>True when others can go on without its node: that is borne less silence, and reported.</summary>
    public bool HasOthers { get; }

    /// <summary>The largest event the log takes.</summary>
    public int MaxEventBytes { get; }

    /// <summary>When its node last answered a question whether it is alive, on the client's clock; 0: it was not asked, or never did.</summary>
    public long LastSign => Volatile.Read(ref _lastSign);

    /// <summary>One attempt. The token ends the wait; what was sent is sent for all its callers.</summary>
    public Task<AppendResult> AppendAsync(AppendRequest request, TimeSpan patience, CancellationToken cancellation) => _watch.Within(patience).AwaitAsync(
        _callee, _grain.Append(request, CancellationToken.None).AsTask(), _signOfLife, TimeSpan.Zero, cancellation);

    private async Task<bool> GivesSign(CancellationToken cancellation)
    {
        var isAlive = await SegmentCalls.GivesSign(_grain, cancellation).ConfigureAwait(false);
        if (isAlive)
        {
            Volatile.Write(ref _lastSign, _time.GetTimestamp());
        }

        return isAlive;
    }
}
