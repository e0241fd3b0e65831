using KawaOrleans.Server.Logs;
using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace KawaOrleans.Server.Healing;

/// <summary>Mends this node's replicas of segments that have ended, and has nodes found for replicas that are nowhere (docs/PROTOCOL.md). One pass
/// after another, as long as the silo runs; what one leaves undone the next one does.</summary>
internal sealed partial class Healer : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private static readonly TimeSpan BetweenPasses = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopMayWait = TimeSpan.FromSeconds(5);

    // How much of its invitations a node hands out in one pass, each with a chain.
    private const int MaxInvitations = 64;

    private readonly NodeHost _host;
    private readonly ClusterJoin _join;
    private readonly ChainSource _source;
    private readonly LocalNode _node;
    private readonly NodesClient _nodes;
    private readonly IChainRecords _records;
    private readonly EnsembleChange _ensembles;
    private readonly Invitations _invitations;
    private readonly ReplicaFetch _fetch;
    private readonly ReplicaCompletion _completion;
    private readonly Pace _pace;
    private readonly long _bytesPerSecond;
    private readonly TimeProvider _time;
    private readonly ILogger<Healer> _logger;
    private readonly HashSet<Guid> _verified = [];
    private readonly SemaphoreSlim _woken = new(0, 1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    public Healer(
        NodeHost host, ClusterJoin join, ChainSource source, LocalNode node, NodesClient nodes, IChainRecords records, EnsembleChange ensembles, Invitations invitations,
        ReplicaFetch fetch, ReplicaCompletion completion, KawaMetrics metrics, IOptions<KawaEventStoreOptions> options, TimeProvider time, ILogger<Healer> logger)
    {
        (_join, _source, _bytesPerSecond) = (join, source, options.Value.HealingBytesPerSecond);
        (_host, _node, _nodes, _records, _ensembles, _invitations) = (host, node, nodes, records, ensembles, invitations);
        (_fetch, _completion, _time, _logger) = (fetch, completion, time, logger);
        _pace = new Pace(_bytesPerSecond, time);
        _invitations.Added = Wake;
        metrics.Observe(() => Found);
    }

    /// <summary>What the last pass found and could not mend.</summary>
    public HealingReport Found { get; private set; } = HealingReport.Nothing;

    public void Participate(ISiloLifecycle observer) => observer.Subscribe<Healer>(
        ServiceLifecycleStage.Active + 2,
        _ =>
        {
            _running = Task.Run(Run, CancellationToken.None);
            return Task.CompletedTask;
        },
        async _ =>
        {
            await _stopping.CancelAsync();
            await Task.WhenAny(_running, Task.Delay(StopMayWait, _time, CancellationToken.None));
        });

    /// <summary>Has the next pass begin now.</summary>
    public void Wake()
    {
        try
        {
            _woken.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is about to.
        }
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _woken.Dispose();
    }

    private async Task Run()
    {
        var cancellation = _stopping.Token;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                // Not before it caught up: a copy that a chain lists already looks like one that nobody needs.
                if (_host.WhyNotVoting is null && _join.WhyNotJoined is null && await _records.ReadCatalogue(cancellation) is { } catalogue)
                {
                    await _join.Recheck(catalogue.Value, cancellation);
                    await Pass(catalogue.Value, cancellation);
                }

                await _woken.WaitAsync(BetweenPasses, cancellation);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or NodeUnavailableException)
            {
                return; // the silo is stopping
            }
            catch (Exception e) when (e is KawaException or IOException or InvalidOperationException or ArgumentException)
            {
                LogPassFailed(e.Message);
                await Task.Delay(BetweenPasses, _time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task Pass(Catalogue catalogue, CancellationToken cancellation)
    {
        var self = new ChainNode(_host.Name, _host.Store.Identity.Id);
        var live = _nodes.Live;
        var problems = new HealingProblems();
        var chains = _host.Chains.All.Where(chain => !catalogue.Deleted.Contains(chain.LogId)).ToList();
        var needs = chains.SelectMany(chain => ReplicaNeed.Under(chain, self, _node.Here, catalogue, live)).ToList();
        await Discard(chains, needs, catalogue);
        foreach (var need in needs)
        {
            if (await Mend(need, cancellation) is { } reason)
            {
                problems.Lacking(need, reason);
                LogNotMended(need.Segment.Id, need.Chain.LogName, need.Lack, reason);
            }
        }

        foreach (var (chain, segmentId) in _invitations.All)
        {
            await Accept(chain, segmentId, self, catalogue, live, cancellation);
        }

        await FillVacancies(chains, self, catalogue, live, problems, cancellation);
        Found = problems.ToReport();
        await Verify(chains, self, cancellation);
    }

    /// <summary>Removes copies of segments that need none, as far as this node knows.</summary>
    private Task<bool> Discard(List<Chain> chains, List<ReplicaNeed> needs, Catalogue catalogue)
    {
        var needed = needs.Select(need => need.Segment.Id).Concat(_invitations.All.Select(invitation => invitation.SegmentId)).ToHashSet();
        foreach (var chain in chains)
        {
            needed.UnionWith(chain.Segments.Where(segment => EnsembleRepair.HasVacancy(segment, chain.Options.Replicas, catalogue)).Select(segment => segment.Id));
        }

        return _host.Run(store =>
        {
            store.DiscardCopies(needed);
            return true;
        });
    }

    /// <summary>Mends a replica of this node; why not, or null.</summary>
    private async Task<string?> Mend(ReplicaNeed need, CancellationToken cancellation)
    {
        var (chain, segment) = (need.Chain, need.Segment);
        if (need.Lack == ReplicaLack.Short)
        {
            return await Complete(need);
        }

        var (copy, whyNot) = await _fetch.Fetch(chain, segment, segment.Ensemble, need.Sources, _pace, cancellation);
        if (copy is null)
        {
            return whyNot;
        }

        await _host.Run(store => store.Install(copy, $"it is {need.Lack}, a good copy came from another node"));
        Settled(segment.Id);
        LogMended(segment.Id, chain.LogName, need.Lack);
        return null;
    }

    private async Task<string?> Complete(ReplicaNeed need)
    {
        var (chain, segment) = (need.Chain, need.Segment);
        var reason = need.Sources.Count == 0 ? "no node that holds it is alive" : null;
        foreach (var source in need.Sources)
        {
            var reached = await _completion.Run(segment.Id, segment.Generation, source, segment.End!.Value);
            if (reached.IsKnown && reached.Value >= segment.End)
            {
                await Task.Run(() => _node.Announce(chain), CancellationToken.None);
                Settled(segment.Id);
                LogMended(segment.Id, chain.LogName, need.Lack);
                return null;
            }

            reason = reached.Unknown ?? $"node '{source}' holds it only up to {reached.Value}";
        }

        return reason;
    }

    /// <summary>Copies a segment that another node asked for, joins its ensemble, then puts the copy in place: a chain never lists a node without it.</summary>
    private async Task Accept(Chain seen, Guid segmentId, ChainNode self, Catalogue catalogue, IReadOnlyList<string> live, CancellationToken cancellation)
    {
        var chain = _host.Chains.Of(seen.LogId) ?? seen;
        if (chain.Segments.FirstOrDefault(segment => segment.Id == segmentId) is not { IsOpen: false } segment
            || EnsembleRepair.With(segment, self, catalogue, chain.Options.Replicas) is not { } ensemble)
        {
            _invitations.Done(segmentId);
            return;
        }

        var (copy, whyNot) = await _fetch.Fetch(chain, segment, ensemble, ReplicaNeed.SourcesFor(segment, self, catalogue, live), _pace, cancellation);
        if (copy is null)
        {
            LogNotTaken(segmentId, chain.LogName, whyNot!);
            return; // goes on at the next pass
        }

        try
        {
            // With this the node has to have it: what is not in place yet is put there by the next pass, from the same copy.
            if (await _ensembles.Join(chain, segmentId, self, cancellation) is { } joined)
            {
                await Task.Run(() => _node.Announce(joined), CancellationToken.None);
                await _host.Run(store => store.Install(copy, "a newer copy came from another node"));
                Settled(segmentId);
                LogTaken(segmentId, chain.LogName);
            }
        }
        finally
        {
            copy.Dispose();
        }

        _invitations.Done(segmentId);
    }

    private async Task FillVacancies(
        List<Chain> chains, ChainNode self, Catalogue catalogue, IReadOnlyList<string> live, HealingProblems problems, CancellationToken cancellation)
    {
        List<NodeReport>? reports = null;
        var invited = 0;
        foreach (var chain in chains)
        {
            foreach (var segment in chain.Segments.Where(segment => EnsembleRepair.IsSeenTo(segment, self, catalogue, live)))
            {
                problems.Waiting(chain, segment, catalogue, live);
                if (segment.IsOpen && segment.Ensemble.Any(node => catalogue.IsGivenUp(node.Id)))
                {
                    await Report(chain, segment, cancellation);
                }

                if (!EnsembleRepair.HasVacancy(segment, chain.Options.Replicas, catalogue))
                {
                    continue;
                }

                problems.Vacant(chain, segment);
                reports ??= await Reports(live, cancellation);
                if (invited < MaxInvitations && EnsembleRepair.Candidate(segment, catalogue, reports) is { } candidate)
                {
                    invited++;
                    await _nodes.TakeReplica(candidate.Name, chain, segment.Id, cancellation);
                }
            }
        }
    }

    /// <summary>A segment that is open on a lost node: whoever changes the chain ends it and opens one on other nodes; then it is mended as others are.</summary>
    private async Task Report(Chain chain, ChainSegment open, CancellationToken cancellation)
    {
        try
        {
            await _source.OpenWriteSegment(chain.LogName, open.Id, batchBytes: 0).WaitAsync(cancellation);
        }
        catch (Exception e) when (e is TimeoutException or OrleansException)
        {
            LogStaysOpen(open.Id, chain.LogName, e.Message); // again at the next pass
        }
    }

    private async Task<List<NodeReport>> Reports(IReadOnlyList<string> live, CancellationToken cancellation) =>
        [.. (await Task.WhenAll(live.Select(node => _nodes.Report(node, cancellation)))).Where(answer => answer.IsKnown).Select(answer => answer.Value!)];

    /// <summary>Reads each sealed replica of several once after a start, some in each pass: what rotted while the silo was down shows nowhere else before
    /// a reader comes.</summary>
    private async Task Verify(List<Chain> chains, ChainNode self, CancellationToken cancellation)
    {
        var bytes = 0L;
        foreach (var chain in chains)
        {
            foreach (var segment in chain.Segments.Where(segment => !segment.IsOpen && segment.Ensemble.Count > 1 && segment.Ensemble.Contains(self)))
            {
                if (bytes > _bytesPerSecond * BetweenPasses.TotalSeconds)
                {
                    Wake();
                    return;
                }

                if (_node.Here(segment).State != ReplicaState.Sealed || _node.Find(segment.Id) is not { } replica || !_verified.Add(segment.Id))
                {
                    continue;
                }

                bytes += replica.Tail.Offset;
                await _pace.Spend(replica.Tail.Offset, cancellation);
                if (await _host.Run(store => store.Verify(replica)) is { } problem)
                {
                    LogDamaged(segment.Id, chain.LogName, problem);
                    Wake();
                }
            }
        }
    }

    private void Settled(Guid segmentId)
    {
        _verified.Add(segmentId);
        _host.Healed(segmentId);
    }
}
