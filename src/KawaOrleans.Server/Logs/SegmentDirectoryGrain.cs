using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Server.Queries;
using KawaOrleans.Server.Segments;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace KawaOrleans.Server.Logs;

/// <summary>Where a log's chain is usually changed and its queries are planned. Keeps nothing that matters: two at once are
/// harmless, because every change is a compare-and-swap.</summary>
[Reentrant, GrainType("kawa.segment-directory")]
internal partial class SegmentDirectoryGrain(
    ChainChanger changer, NodesClient nodes, ReplicaCalls replicas, AggregationRegistry aggregations, TimeProvider time, ILogger<SegmentDirectoryGrain> logger)
    : Grain, ISegmentDirectoryGrain
{
    // Between two attempts that begin with the same view: the one before brought nothing new, and each asks all the nodes.
    private static readonly TimeSpan BetweenReports = TimeSpan.FromMilliseconds(250);

    private (Guid? After, Task<Chain> Running)? _opening;
    private (Guid? After, long Ended) _reported;
    private string? _whyNotWritable;

    private string LogName => NameOf(this.GetPrimaryKeyString());

    public async Task<Chain> Create(LogOptions options, CancellationToken cancellation = default)
    {
        CheckName();
        if (options is null)
        {
            throw new RequestRefusedException($"Log '{LogName}' cannot be created: the options are null.");
        }

        return await Task.Run(() => changer.CreateLog(LogName, options, cancellation), cancellation);
    }

    public async Task<Chain> GetChain(CancellationToken cancellation = default)
    {
        CheckName();
        return await Task.Run(() => changer.Read(LogName, cancellation), cancellation);
    }

    /// <summary>Callers with the same view share one opening.</summary>
    public async Task<Chain> OpenWriteSegment(Guid? after, int batchBytes, CancellationToken cancellation = default)
    {
        CheckName();
        if (_opening is not { } opening || opening.After != after || opening.Running.IsCompleted)
        {
            _opening = opening = (after, Open(after, batchBytes));
        }

        return await opening.Running.WaitAsync(cancellation);
    }

    public async Task<LogDescription> Describe(CancellationToken cancellation = default)
    {
        var chain = await GetChain(cancellation);
        return await LogDescriber.Describe(chain, nodes, _whyNotWritable, cancellation);
    }

    public async Task<RangePlan> Plan(RangeQuery query, CancellationToken cancellation = default)
    {
        if (query is null)
        {
            throw new RequestRefusedException("A range query is needed; this one is null.");
        }

        RangeCheck.Check(query.From, query.To);
        SegmentReads.CheckAtLeast(query.AtLeast);
        PreparedFilter.For(query.Filter);
        var chain = await GetChain(cancellation);
        try
        {
            return await Plan(chain, query, cancellation);
        }
        catch (SegmentUnavailableException e) when (e.IsRetryable)
        {
            // Its primary is gone, or came back and is not resumed: what is acknowledged of it is known again once it is ended.
            return await Plan(await Ended(chain, e), query, cancellation);
        }
    }

    public async Task<AggregationResult> Aggregate(AggregationQuery query, CancellationToken cancellation = default)
    {
        AggregationRequest.Check(query);
        var merge = new AggregationMerge(aggregations.Get(query.Name));
        var plan = await Plan(query.Range, cancellation);
        await merge.Run(plan, Fold, cancellation);
        return merge.Result(plan);

        Task<AggregationResult> Fold(RangeSlice slice)
        {
            var part = query with { Range = query.Range with { From = slice.From, To = slice.To, AtLeast = slice.To } };
            return replicas.Ask(slice.SegmentId, slice.Nodes, (segment, token) => segment.Aggregate(part, token).AsTask(), cancellation);
        }
    }

    public async Task Delete(CancellationToken cancellation = default)
    {
        CheckName();
        await Task.Run(() => changer.DeleteLog(LogName, cancellation), cancellation);
        LogDeleted(LogName);
    }

    public async Task<Chain> Rebuild(IReadOnlyList<string> givenUpNodes, CancellationToken cancellation = default)
    {
        CheckName();
        var rebuilt = await Task.Run(() => changer.Rebuild(LogName, givenUpNodes ?? [], cancellation), cancellation);
        LogRebuilt(LogName, rebuilt.Chain.Version, rebuilt.Chain.Segments.Count, string.Join("; ", rebuilt.Losses));
        return rebuilt.Chain;
    }

    /// <summary>The log that a key names.</summary>
    private protected virtual string NameOf(string key) => key;

    private void CheckName()
    {
        if (Names.WhyNotKey(LogName) is { } reason)
        {
            throw new RequestRefusedException($"'{LogName}' is no log name: {reason}.");
        }
    }

    private async Task<Chain> Open(Guid? after, int batchBytes)
    {
        try
        {
            if (after is not null && _reported.After == after && BetweenReports - time.GetElapsedTime(_reported.Ended) is var left && left > TimeSpan.Zero)
            {
                await Task.Delay(left, time);
            }

            var chain = await Task.Run(() => changer.OpenWriteSegment(LogName, after, batchBytes, CancellationToken.None));
            _whyNotWritable = null;
            if (chain.WriteSegment?.Id == after)
            {
                _reported = (after, time.GetTimestamp());
            }

            return chain;
        }
        catch (LogNotWritableException e)
        {
            _whyNotWritable = e.Reason;
            LogNotWritable(LogName, e.Reason);
            _reported = (after, time.GetTimestamp());
            throw;
        }
    }

    private async Task<RangePlan> Plan(Chain chain, RangeQuery query, CancellationToken cancellation)
    {
        var atLeast = query.LogId is { } seen && seen != chain.LogId ? 0 : Math.Min(query.AtLeast, query.To);
        var committed = RangePlanner.KnownCommitted(chain, query) ?? await Committed(chain.WriteSegment!, atLeast, cancellation);
        return RangePlanner.Plan(chain, committed, query);
    }

    /// <summary>The chain with its open segment ended, of which no replica answered.</summary>
    private async Task<Chain> Ended(Chain chain, SegmentUnavailableException why)
    {
        try
        {
            return await OpenWriteSegment(chain.WriteSegment!.Id, 0, CancellationToken.None);
        }
        catch (LogNotWritableException)
        {
            // It may have been ended all the same, with too few nodes for a next one.
            return await GetChain() is { WriteSegment: null } ended ? ended : throw why;
        }
    }

    /// <summary>How far the open segment is known to be committed, by the first of its replicas that knows it up to <paramref name="atLeast"/>.</summary>
    private async Task<long> Committed(ChainSegment open, long atLeast, CancellationToken cancellation)
    {
        if (open.Ensemble.Count > 1)
        {
            // A read of nothing: the replica itself says whether it knows enough.
            var nothing = new ReadRequest { From = open.Base, To = open.Base, AtLeast = atLeast };
            var answer = await replicas.Ask(
                open.Id, [.. open.Ensemble.Select(static node => node.Name)], (segment, token) => segment.Read(nothing, token).AsTask(), cancellation);
            return answer.Committed;
        }

        try
        {
            return (await GrainFactory.GetGrain<ISegmentGrain>(open.Id, open.Primary).GetStats(cancellation)).Committed;
        }
        catch (Exception e) when (e is NodeUnavailableException or SiloUnavailableException or TimeoutException)
        {
            throw new NodeUnavailableException(
                open.Primary, $"it knows where log '{LogName}' ends; a query that ends at or below position {open.Base} needs it not");
        }
    }
}
