namespace KawaOrleans.Client;

/// <summary>The segment a line appends to, until it is told of another.</summary>
internal sealed class WriteTarget
{
    private readonly AnswerWatch _watch;
    private readonly ISegmentGrain _grain;
    private readonly string _callee;
    private readonly Func<CancellationToken, Task<bool>> _signOfLife;

    public WriteTarget(ChainSegment segment, LogOptions options, ISegmentGrain grain, AnswerWatch watch)
    {
        _watch = watch;
        _grain = grain;
        _callee = $"node '{segment.Primary}'";
        _signOfLife = token => SegmentCalls.GivesSign(_grain, token);
        SegmentId = segment.Id;
        MaxEventBytes = Limits.MaxEventBytesFor(options.SegmentBytes);
    }

    public Guid SegmentId { get; }

    /// <summary>The largest event the log takes.</summary>
    public int MaxEventBytes { get; }

    /// <summary>One attempt. Its token is not the callers': what was sent is sent for all of them.</summary>
    public Task<AppendResult> AppendAsync(AppendRequest request) => _watch.AwaitAsync(
        _callee, _grain.Append(request, CancellationToken.None).AsTask(), _signOfLife, TimeSpan.Zero, CancellationToken.None);
}
