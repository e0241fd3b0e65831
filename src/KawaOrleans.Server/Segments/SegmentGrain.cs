using KawaOrleans.Server.Logs;
using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Placement;
using KawaOrleans.Server.Queries;
using KawaOrleans.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.GrainDirectory;
using Orleans.Placement;
using Orleans.Runtime;

namespace KawaOrleans.Server.Segments;

/// <summary>One replica's face. The file is the node store's: two activations at once, which Orleans can produce, only take the
/// write handle from each other. Nothing here blocks the scheduler, so appends pipeline and reads go on beside them.</summary>
[PinnedToNode, GrainDirectory(PinnedGrainDirectory.Name), Immovable, KeepAlive, Reentrant, GrainType("kawa.segment")]
internal sealed partial class SegmentGrain(
    NodeHost host, LocalNode node, NodesClient nodes, TimeProvider time, ChainSource chains, RecentEvents recent, HeadsBefore heads, WriterStandings standings, QueuedBytes queued, AggregationRegistry aggregations,
    KawaMetrics metrics, ILogger<SegmentGrain> logger)
    : Grain, ISegmentGrain, ISegmentWriter
{
    private const int MaxOpenings = 3;

    // Single events, each perhaps on a page that is not in memory.
    private const int MostReadHere = 64;

    // A queue as long as it may be is on disk about then.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(50);

    private readonly SingleFlight<AppendResult?> _openings = new();
    private Guid _segmentId;
    private Opening? _opening;
    private Task<Chain?>? _roll;
    private bool _goesOn;
    private IGrainTimer? _looking;
    private volatile string? _full;
    private bool _spareAsked;

    // The id that files were made ahead for. One claim takes it, once: the nodes of two claims of one id would each hold another segment by that name.
    private Guid? _nextId;
    private long _queuedBytes;

    // Map and index are at hand. From then on one event is read where its request is: handing it to another thread costs as much as
    // the read, and a page that is not in memory holds up this segment's calls alone, one thread of the pool instead of many.
    private bool _isWarm;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _segmentId = this.GetPrimaryKey(out _);
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        standings.Remove(_segmentId);
        if (_opening?.Feeds is { } feeds)
        {
            await feeds.DisposeAsync();
        }
    }

    public async ValueTask<AppendResult> Append(AppendRequest request, CancellationToken cancellation = default)
    {
        var bytes = request?.Batches?.Length ?? 0;
        if (!queued.TryEnter(ref _queuedBytes, bytes))
        {
            request?.Batches?.Dispose();
            return new Busy(RetryAfter);
        }

        try
        {
            using var block = Parse(request?.Batches);
            CheckExpected(block, request!.Expected);
            return await Append(block, request!, cancellation);
        }
        finally
        {
            queued.Leave(ref _queuedBytes, bytes);
            request?.Batches?.Dispose();
        }
    }

    private async Task<AppendResult> Append(EventBlock block, AppendRequest request, CancellationToken cancellation)
    {
        for (var openings = 0; openings < MaxOpenings; openings++)
        {
            if (!IsCurrent(_opening) && await _openings.Run(Open) is { } refusal)
            {
                return refusal;
            }

            if (_opening is not { } opening)
            {
                continue; // taken from us between the two lines
            }

            CheckEventSize(block, opening.Chain);
            cancellation.ThrowIfCancellationRequested();

            // Nothing is awaited from here until the writer has the block, so blocks reach it in the order they are taken; after one
            // that it refused as too large it refuses all, so none overtakes.
            if (!opening.Runs.Take(request.Order))
            {
                return new OutOfSequence();
            }

            try
            {
                var appended = await opening.Writer.AppendAsync(block, request.RetrySince, request.Expected);
                if (opening.Feeds is { } feeds)
                {
                    await Acknowledged(opening, feeds, appended.End);
                }

                metrics.Appended(block.BatchCount, appended.Count, appended.Outcomes is null ? block.Bytes.Length : 0);
                PrepareAhead(opening);
                return AppendAnswer.Of(appended);
            }
            catch (SegmentFullException)
            {
                _full = "it is full";
                return await Roll(opening, block.Bytes.Length, isFull: true);
            }
            catch (WriterFencedException e) when (e.IsByFence || HasEnded(opening.Segment))
            {
                _opening = null;
                return new SegmentEnded();
            }
            catch (WriterFencedException)
            {
                // Another activation of this grain took the handle; nothing was written. Take it back.
                LogHandleTaken(_segmentId);
                _opening = _opening == opening ? null : _opening;
            }
            catch (HeadsMissingException)
            {
                // A run of heads was found damaged and dropped, and what it was made of lies elsewhere: the next opening fetches it again.
                _opening = _opening == opening ? null : _opening;
            }
            catch (StorageException e)
            {
                throw Fault(e);
            }
        }

        return new NotPrimary($"another activation of segment {_segmentId:N} keeps taking its write handle");
    }

    public async ValueTask<ReadResult> Read(ReadRequest request, CancellationToken cancellation = default)
    {
        var segment = Require();
        SegmentReads.Check(request, segment.Header);
        var filter = PreparedFilter.For(request.Filter);
        if (request.Wait > TimeSpan.Zero && request.From < request.To && request.From >= segment.Committed)
        {
            await For(segment, request.AtLeast).WaitForAsync(request.From, request.Wait, cancellation);
        }

        ReadResult result;
        if (_isWarm && request.MaxEvents == 1 && filter is null)
        {
            result = Here(() => SegmentReads.Read(For(segment, request.AtLeast), request, null, cancellation));
        }
        else
        {
            result = await OffScheduler(() => SegmentReads.Read(For(segment, request.AtLeast), request, filter, cancellation));
            _isWarm = true;
        }

        metrics.Read(result.Events.Bytes.Bytes.Length);
        return result;
    }

    public async ValueTask<ReadResult> ReadEach(long[] positions, long atLeast = 0, CancellationToken cancellation = default)
    {
        var segment = Require();
        SegmentReads.CheckEach(positions, atLeast, segment.Header);
        ReadResult Each() => SegmentReads.ReadEach(For(segment, atLeast), positions);
        var result = _isWarm && positions.Length <= MostReadHere ? Here(Each) : await OffScheduler(Each);
        _isWarm = true;
        metrics.Read(result.Events.Bytes.Length);
        return result;
    }

    public async ValueTask<StreamReadResult> ReadStream(StreamReadRequest request, CancellationToken cancellation = default)
    {
        StreamReads.Check(request);
        var segment = Require();
        if (request.Wait > TimeSpan.Zero)
        {
            try
            {
                await For(segment, request.AtLeast).WaitForStreamAsync(request.Stream, request.From, request.Wait, cancellation);
            }
            catch (StorageException e)
            {
                throw Fault(e);
            }
        }

        var result = await OffScheduler(() => StreamReads.Read(For(segment, request.AtLeast), request));
        metrics.Read(result.Events.Bytes.Length);
        return result;
    }

    public async ValueTask<IReadOnlyList<StreamStanding?>> FindStreams(IReadOnlyList<string> streams, long atLeast = 0, CancellationToken cancellation = default)
    {
        StreamReads.Check(streams, atLeast);
        var segment = Require();
        return await OffScheduler(() => StreamReads.Find(For(segment, atLeast), streams));
    }

    public async ValueTask<StreamListResult> ListStreams(StreamListRequest request, CancellationToken cancellation = default)
    {
        StreamReads.Check(request);
        var segment = Require();
        return await OffScheduler(() => StreamReads.List(For(segment, request.AtLeast), request));
    }

    public async ValueTask Flush(CancellationToken cancellation = default)
    {
        Require();
        if (_opening is { } opening)
        {
            try
            {
                await opening.Writer.FlushAsync();
                if (opening.Feeds is { } feeds)
                {
                    await Acknowledged(opening, feeds, opening.Segment.Tail.Position);
                }
            }
            catch (WriterFencedException)
            {
                // Whoever fenced it waited for its writes.
            }
            catch (StorageException e)
            {
                throw Fault(e);
            }
        }
    }

    public async ValueTask<SegmentStats> GetStats(CancellationToken cancellation = default)
    {
        var segment = Require();
        return await OffScheduler(segment.ToStats);
    }

    public async ValueTask<AggregationResult> Aggregate(AggregationQuery query, CancellationToken cancellation = default)
    {
        var segment = Require();
        AggregationRequest.Check(query);
        var aggregation = aggregations.Get(query.Name);
        var filter = PreparedFilter.For(query.Range.Filter);
        return await OffScheduler(() => SegmentFold.Run(For(segment, query.Range.AtLeast), aggregation, query, filter, cancellation));
    }

    private static EventBlock Parse(Block? batches)
    {
        try
        {
            return EventBlock.Parse(batches?.Bytes ?? default);
        }
        catch (BatchRefusedException e)
        {
            throw new RequestRefusedException(e.Message);
        }
    }

    private static void CheckEventSize(EventBlock block, Chain chain)
    {
        var limit = Limits.MaxEventBytesFor(chain.Options.SegmentBytes);
        if (block.LargestEventBytes > limit)
        {
            throw new RequestRefusedException(
                $"An event of log '{chain.LogName}' takes at most {limit} bytes as stored, half its segment size of {chain.Options.SegmentBytes}"
                + $" or {Limits.MaxEventBytes}; one of these takes {block.LargestEventBytes}.");
        }
    }

    private static void CheckExpected(EventBlock block, IReadOnlyList<StreamExpectations?>? expected)
    {
        if (expected is not null && expected.Count != block.BatchCount)
        {
            throw new RequestRefusedException(
                $"{nameof(AppendRequest.Expected)} has one entry for each batch, or is null; it has {expected.Count} for {block.BatchCount} batches.");
        }
    }

    private static bool HasEnded(Segment segment) => segment.State is SegmentState.Fenced or SegmentState.Sealed;

    private Segment Require() => node.Find(_segmentId) ?? throw new SegmentFaultedException(_segmentId, host.Name, node.WhyNotFound(_segmentId));

    /// <summary>The segment, for a question that it must answer below a position.</summary>
    private Segment For(Segment segment, long atLeast)
    {
        SegmentReads.RefuseIfBehind(segment, host.Name, atLeast);
        return segment;
    }

    private T Here<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (StorageException e)
        {
            throw Fault(e);
        }
    }

    private async Task<T> OffScheduler<T>(Func<T> work)
    {
        try
        {
            return await Task.Run(work);
        }
        catch (StorageException e)
        {
            throw Fault(e);
        }
    }

    public ValueTask Doubt()
    {
        host.Doubt(_segmentId);
        return ValueTask.CompletedTask;
    }

    private SegmentFaultedException Fault(StorageException e)
    {
        // What a call rests on may lie in another segment.
        var path = (e as SegmentDamagedException)?.Path;
        var met = host.Store.Segments.FirstOrDefault(segment => segment.Path == path)?.Header.Identity.Id ?? _segmentId;
        host.ReportFault(met, e.Message);
        if (path is not null)
        {
            host.Doubt(met);
        }

        LogFault(met, e.Message);
        return new SegmentFaultedException(_segmentId, host.Name, e.Message);
    }
}
