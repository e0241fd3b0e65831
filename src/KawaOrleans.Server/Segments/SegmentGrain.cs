using KawaOrleans.Server.Logs;
using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Placement;
using KawaOrleans.Server.Queries;
using KawaOrleans.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Placement;
using Orleans.Runtime;

namespace KawaOrleans.Server.Segments;

/// <summary>One replica's face. The file is the node store's: two activations at once, which Orleans can produce, only take the
/// write handle from each other. Nothing here blocks the scheduler, so appends pipeline and reads go on beside them.</summary>
[PinnedToNode, Immovable, KeepAlive, Reentrant, GrainType("kawa.segment")]
internal sealed partial class SegmentGrain(
    NodeHost host, LocalNode node, ChainSource chains, AggregationRegistry aggregations, KawaMetrics metrics, ILogger<SegmentGrain> logger)
    : Grain, ISegmentGrain
{
    private const int MaxOpenings = 3;

    private readonly SingleFlight<AppendResult?> _openings = new();
    private Guid _segmentId;
    private Opening? _opening;
    private Task<Chain>? _roll;
    private bool _spareAsked;

    // Map and index are at hand. From then on one event is read where its request is: handing it to another thread costs as much as
    // the read, and a page that is not in memory holds up this segment's calls alone, one thread of the pool instead of many.
    private bool _isWarm;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _segmentId = this.GetPrimaryKey(out _);
        return Task.CompletedTask;
    }

    public async ValueTask<AppendResult> Append(Block batch, CancellationToken cancellation = default)
    {
        var parsed = Parse(batch);
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

            CheckEventSize(parsed, opening.Chain);
            try
            {
                // Nothing was awaited since the batch arrived, unless the writer had to be opened: batches of one sender reach the
                // writer in the order they came, and after one that it refused as too large it refuses all, so none overtakes.
                var appended = await Write(opening.Writer, parsed, cancellation);
                metrics.Appended(appended.Count, parsed.Bytes.Length);
                PrepareAhead(opening);
                return new Appended(appended.First, appended.Count, new DateTimeOffset(appended.Timestamp, TimeSpan.Zero));
            }
            catch (SegmentFullException)
            {
                return await Roll(opening, parsed.Bytes.Length);
            }
            catch (WriterFencedException) when (HasEnded(opening.Segment))
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
        if (request.Wait > TimeSpan.Zero && request.From < request.To && request.From >= segment.Tail.Position)
        {
            await segment.WaitForAsync(request.From, request.Wait, cancellation);
        }

        ReadResult result;
        if (_isWarm && request.MaxEvents == 1 && filter is null)
        {
            result = ReadHere(segment, request, cancellation);
        }
        else
        {
            result = await OffScheduler(() => SegmentReads.Read(segment, request, filter, cancellation));
            _isWarm = true;
        }

        metrics.Read(result.Events.Bytes.Bytes.Length);
        return result;
    }

    public async ValueTask Flush(CancellationToken cancellation = default)
    {
        Require();
        if (_opening is { } opening)
        {
            try
            {
                await opening.Writer.FlushAsync();
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
        return await OffScheduler(() => SegmentFold.Run(segment, aggregation, query, filter, cancellation));
    }

    private static EventBatch Parse(Block? batch)
    {
        try
        {
            return EventBatch.Parse(batch?.Bytes ?? default);
        }
        catch (BatchRefusedException e)
        {
            throw new RequestRefusedException(e.Message);
        }
    }

    private static void CheckEventSize(EventBatch batch, Chain chain)
    {
        var limit = Limits.MaxEventBytesFor(chain.Options.SegmentBytes);
        if (batch.LargestEventBytes > limit)
        {
            throw new RequestRefusedException(
                $"An event of log '{chain.LogName}' takes at most {limit} bytes as stored, half its segment size of {chain.Options.SegmentBytes}"
                + $" or {Limits.MaxEventBytes}; one of these takes {batch.LargestEventBytes}.");
        }
    }

    private static async ValueTask<AppendedBatch> Write(SegmentWriter writer, EventBatch batch, CancellationToken cancellation)
    {
        var written = writer.AppendAsync(batch);
        return cancellation.CanBeCanceled ? await written.AsTask().WaitAsync(cancellation) : await written;
    }

    private static bool HasEnded(Segment segment) => segment.State is SegmentState.Fenced or SegmentState.Sealed;

    private Segment Require() => node.Find(_segmentId) ?? throw new SegmentFaultedException(_segmentId, host.Name, node.WhyNotFound(_segmentId));

    private ReadResult ReadHere(Segment segment, ReadRequest request, CancellationToken cancellation)
    {
        try
        {
            return SegmentReads.Read(segment, request, null, cancellation);
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

    private SegmentFaultedException Fault(StorageException e)
    {
        host.ReportFault(_segmentId, e.Message);
        LogFault(_segmentId, e.Message);
        return new SegmentFaultedException(_segmentId, host.Name, e.Message);
    }
}
