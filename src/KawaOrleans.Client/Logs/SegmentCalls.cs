namespace KawaOrleans.Client;

/// <summary>Calls to segment grains: one attempt at each replica that is worth one, and a typed error when none answers.</summary>
internal sealed class SegmentCalls(IGrains grains, AnswerWatch watch, TimeProvider time)
{
    private readonly ReplicaChoice _replicas = new(time);
    private readonly PerReplica<EventReads> _reads = new(static (_, _) => new EventReads());

    /// <summary>One block of events, checked to be what was asked for. Of an only replica the events verify themselves when they are read; of several, here,
    /// so that a damaged one is passed over.</summary>
    /// <exception cref="NodeUnavailableException">The only node is not alive, or silent for longer than the caller's patience.</exception>
    /// <exception cref="SegmentUnavailableException">None of several answered.</exception>
    public Task<ReadResult> ReadAsync(ChainSegment segment, ReadRequest request, TimeSpan patience, CancellationToken cancellation) => segment.Ensemble.Count == 1
        ? ReadAsync(segment.Id, segment.Primary, request, patience, cancellation)
        : _replicas.AskAsync(
            segment,
            request.Wait,
            async (node, most, wait, token) => Verified(
                await ReadAsync(segment.Id, node, request.Wait == wait ? request : request with { Wait = wait }, most, token).ConfigureAwait(false), request, node),
            result => result.HasEnded || result.Next > request.From,
            patience,
            cancellation);

    /// <summary>Events of one stream, checked to be of the segment asked.</summary>
    /// <inheritdoc cref="ReadAsync(ChainSegment, ReadRequest, TimeSpan, CancellationToken)" path="/exception"/>
    public Task<StreamReadResult> ReadStreamAsync(ChainSegment segment, StreamReadRequest request, TimeSpan patience, CancellationToken cancellation) =>
        segment.Ensemble.Count == 1
            ? ReadStreamAsync(segment.Id, segment.Primary, request, patience, cancellation)
            : _replicas.AskAsync(
                segment,
                request.Wait,
                async (node, most, wait, token) => Verified(
                    await ReadStreamAsync(segment.Id, node, request.Wait == wait ? request : request with { Wait = wait }, most, token).ConfigureAwait(false), node),
                static result => result.HasEnded || result.Events.Runs.Length > 0,
                patience,
                cancellation);

    /// <summary>What is known of streams where a segment ends.</summary>
    /// <inheritdoc cref="ReadAsync(ChainSegment, ReadRequest, TimeSpan, CancellationToken)" path="/exception"/>
    public Task<IReadOnlyList<StreamStanding?>> FindStreamsAsync(
        ChainSegment segment, IReadOnlyList<string> streams, long atLeast, TimeSpan patience, CancellationToken cancellation)
    {
        return _replicas.AskAsync(segment, FindAsync, patience, cancellation);

        async Task<IReadOnlyList<StreamStanding?>> FindAsync(string node, TimeSpan most, CancellationToken token)
        {
            var grain = grains.Segment(segment.Id, node);
            var found = await ReachAsync(
                grain, node, inner => grain.FindStreams(streams, atLeast, inner).AsTask(), TimeSpan.Zero, most, token).ConfigureAwait(false);
            return found.Count == streams.Count
                ? found
                : throw new SegmentFaultedException(segment.Id, node, $"asked about {streams.Count} streams it answered about {found.Count}");
        }
    }

    /// <summary>Streams that begin in a segment.</summary>
    /// <inheritdoc cref="ReadAsync(ChainSegment, ReadRequest, TimeSpan, CancellationToken)" path="/exception"/>
    public Task<StreamListResult> ListStreamsAsync(ChainSegment segment, StreamListRequest request, TimeSpan patience, CancellationToken cancellation)
    {
        return _replicas.AskAsync(segment, ListAsync, patience, cancellation);

        Task<StreamListResult> ListAsync(string node, TimeSpan most, CancellationToken token)
        {
            var grain = grains.Segment(segment.Id, node);
            return ReachAsync(grain, node, inner => grain.ListStreams(request, inner).AsTask(), TimeSpan.Zero, most, token);
        }
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

    private async Task<ReadResult> ReadAsync(Guid segmentId, string node, ReadRequest request, TimeSpan patience, CancellationToken cancellation)
    {
        var grain = grains.Segment(segmentId, node);
        ReadResult? result = null;
        try
        {
            if (request.MaxEvents == 1 && request.Wait == TimeSpan.Zero && request.Filter is null)
            {
                // One event is there before word of a cancellation could reach the node: none is passed on.
                var answer = _reads.Of(segmentId, node).ReadAsync(grain, request);
                result = await watch.Within(patience).AwaitAsync(node, answer, token => GivesSign(grain, token), TimeSpan.Zero, cancellation).ConfigureAwait(false);
            }

            result ??= await AskAsync(grain, node, token => grain.Read(request, token).AsTask(), request.Wait, patience, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (Failure.IsOnTheWay(e, cancellation))
        {
            throw new NodeUnavailableException(node, e.Message);
        }

        return WhyNot(segmentId, request, result) is { } reason ? throw new SegmentFaultedException(segmentId, node, reason) : result;
    }

    private async Task<StreamReadResult> ReadStreamAsync(Guid segmentId, string node, StreamReadRequest request, TimeSpan patience, CancellationToken cancellation)
    {
        var grain = grains.Segment(segmentId, node);
        var result = await ReachAsync(grain, node, token => grain.ReadStream(request, token).AsTask(), request.Wait, patience, cancellation).ConfigureAwait(false);
        return result.Events.SegmentId == segmentId
            ? result
            : throw new SegmentFaultedException(segmentId, node, $"it answered with a block of segment {result.Events.SegmentId:N}");
    }

    private ReadResult Verified(ReadResult result, ReadRequest request, string node)
    {
        Verify(result.Events, request.From, result.Next, node);
        return result;
    }

    private StreamReadResult Verified(StreamReadResult result, string node)
    {
        Verify(result.Events, 0, long.MaxValue, node);
        return result;
    }

    /// <exception cref="CorruptBlockException">A frame does not verify.</exception>
    private void Verify(FrameBlock block, long from, long to, string node)
    {
        var cursor = new FrameCursor(block, from, to);
        var bytes = block.Bytes.Bytes.Span;
        try
        {
            while (cursor.TryRead(bytes, out _))
            {
            }
        }
        catch (CorruptBlockException)
        {
            // Another replica is read; its node can tell whether the file is damaged, or the bytes were on their way.
            grains.Segment(block.SegmentId, node).Doubt().AsTask().Ignore();
            block.Bytes.Dispose();
            throw;
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
