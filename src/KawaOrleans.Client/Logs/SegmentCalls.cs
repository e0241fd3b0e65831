namespace KawaOrleans.Client;

/// <summary>Calls to segment grains: one attempt each, and a typed error when no answer comes.</summary>
internal sealed class SegmentCalls(IGrains grains, AnswerWatch watch)
{
    /// <summary>One block of events, checked to be what was asked for; the events in it verify themselves when they are read.</summary>
    /// <exception cref="NodeUnavailableException">The node is not alive, or silent for longer than the caller's patience.</exception>
    public async Task<ReadResult> ReadAsync(Guid segmentId, string node, ReadRequest request, TimeSpan patience, CancellationToken cancellation)
    {
        var grain = grains.Segment(segmentId, node);
        var result = await (request.MaxEvents == 1 && request.Wait == TimeSpan.Zero && request.Filter is null
            ? ReadOneAsync(grain, node, request, patience, cancellation)
            : ReadSomeAsync(grain, node, request, patience, cancellation)).ConfigureAwait(false);
        return WhyNot(segmentId, request, result) is { } reason ? throw new SegmentFaultedException(segmentId, node, reason) : result;
    }

    /// <summary>Events of one stream, checked to be of the segment asked.</summary>
    /// <exception cref="NodeUnavailableException">The node is not alive, or silent for longer than the caller's patience.</exception>
    public async Task<StreamReadResult> ReadStreamAsync(ChainSegment segment, StreamReadRequest request, TimeSpan patience, CancellationToken cancellation)
    {
        var grain = grains.Segment(segment.Id, segment.Primary);
        var result = await ReachAsync(
            grain, segment.Primary, token => grain.ReadStream(request, token).AsTask(), request.Wait, patience, cancellation).ConfigureAwait(false);
        return result.Events.SegmentId == segment.Id
            ? result
            : throw new SegmentFaultedException(segment.Id, segment.Primary, $"it answered with a block of segment {result.Events.SegmentId:N}");
    }

    /// <summary>What is known of streams where a segment ends.</summary>
    /// <exception cref="NodeUnavailableException">The node is not alive, or silent for longer than the caller's patience.</exception>
    public async Task<IReadOnlyList<StreamStanding?>> FindStreamsAsync(
        ChainSegment segment, IReadOnlyList<string> streams, TimeSpan patience, CancellationToken cancellation)
    {
        var grain = grains.Segment(segment.Id, segment.Primary);
        var found = await ReachAsync(
            grain, segment.Primary, token => grain.FindStreams(streams, token).AsTask(), TimeSpan.Zero, patience, cancellation).ConfigureAwait(false);
        return found.Count == streams.Count
            ? found
            : throw new SegmentFaultedException(segment.Id, segment.Primary, $"asked about {streams.Count} streams it answered about {found.Count}");
    }

    /// <summary>Streams that begin in a segment.</summary>
    /// <exception cref="NodeUnavailableException">The node is not alive, or silent for longer than the caller's patience.</exception>
    public Task<StreamListResult> ListStreamsAsync(ChainSegment segment, StreamListRequest request, TimeSpan patience, CancellationToken cancellation)
    {
        var grain = grains.Segment(segment.Id, segment.Primary);
        return ReachAsync(grain, segment.Primary, token => grain.ListStreams(request, token).AsTask(), TimeSpan.Zero, patience, cancellation);
    }

    /// <exception cref="NodeUnavailableException">The node is not alive, or silent for longer than the caller's patience.</exception>
    public Task FlushAsync(ChainSegment segment, TimeSpan patience, CancellationToken cancellation)
    {
        var grain = grains.Segment(segment.Id, segment.Primary);
        return ReachAsync(
            grain,
            segment.Primary,
            async token =>
            {
                await grain.Flush(token).ConfigureAwait(false);
                return true;
            },
            TimeSpan.Zero,
            patience,
            cancellation);
    }

    private Task<ReadResult> ReadSomeAsync(ISegmentGrain grain, string node, ReadRequest request, TimeSpan patience, CancellationToken cancellation) =>
        ReachAsync(grain, node, token => grain.Read(request, token).AsTask(), request.Wait, patience, cancellation);

    /// <summary>Over before word of a cancellation could reach the node: none is passed on.</summary>
    private async Task<ReadResult> ReadOneAsync(ISegmentGrain grain, string node, ReadRequest request, TimeSpan patience, CancellationToken cancellation)
    {
        try
        {
            return await watch.Within(patience).AwaitAsync(
                node, grain.Read(request, CancellationToken.None).AsTask(), token => GivesSign(grain, token), TimeSpan.Zero, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (Failure.IsOnTheWay(e, cancellation))
        {
            throw new NodeUnavailableException(node, e.Message);
        }
    }

    private static string? WhyNot(Guid segmentId, ReadRequest request, ReadResult result)
    {
        if (result.Events.SegmentId != segmentId)
        {
            return $"it answered with a block of segment {result.Events.SegmentId:N}";
        }

        var isDue = Math.Min(result.Committed, request.To) > request.From && request.MaxEvents > 0;
        return isDue && result.Next <= request.From
            ? $"it answered without position {request.From}, though it is committed up to {result.Committed}"
            : null;
    }

    private async Task<T> ReachAsync<T>(
        ISegmentGrain grain, string node, Func<CancellationToken, Task<T>> call, TimeSpan expected, TimeSpan patience, CancellationToken cancellation)
    {
        try
        {
            return await AskAsync(grain, node, call, expected, patience, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (Failure.IsOnTheWay(e, cancellation))
        {
            throw new NodeUnavailableException(node, e.Message);
        }
    }

    private Task<T> AskAsync<T>(
        ISegmentGrain grain, string node, Func<CancellationToken, Task<T>> call, TimeSpan expected, TimeSpan patience, CancellationToken cancellation) =>
        watch.Within(patience).AwaitAsync(node, call, token => GivesSign(grain, token), expected, cancellation);

    /// <summary>True when the segment's node answers.</summary>
    public static async Task<bool> GivesSign(ISegmentGrain grain, CancellationToken cancellation)
    {
        try
        {
            await grain.GetStats(cancellation).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is KawaException || Failure.IsOnTheWay(e, cancellation))
        {
            return e is KawaException and not NodeUnavailableException;
        }
    }
}
