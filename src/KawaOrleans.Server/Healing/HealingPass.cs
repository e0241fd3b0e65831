using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Healing;

/// <summary>One look at all replicas of a node: mends what can be mended, takes places that were offered, offers those that nobody has
/// (docs/PROTOCOL.md, "How a replica is mended"). Cut off anywhere, the next one goes on.</summary>
internal sealed class HealingPass
{
    private readonly IMendingNode _node;
    private readonly Invitations _invitations;
    private readonly ReplicaMending _mending;
    private readonly PlaceTaking _taking;
    private readonly Vacancies _vacancies;

    public HealingPass(IMendingNode node, Invitations invitations, ReplicaFetch fetch, EnsembleChange ensembles, Action<Guid> settled, ILogger logger)
    {
        (_node, _invitations) = (node, invitations);
        _mending = new ReplicaMending(node, fetch, settled, logger);
        _taking = new PlaceTaking(node, invitations, fetch, ensembles, settled, logger);
        _vacancies = new Vacancies(node, logger);
    }

    /// <summary>Does it; answers what is left to be mended.</summary>
    /// <param name="catalogue">The logs that were deleted and the nodes that were given up.</param>
    /// <param name="cancellation">Ends it between two steps.</param>
    /// <exception cref="ChainStoreException">The store is away.</exception>
    /// <exception cref="Storage.StorageException">This node's disk is full, or failed.</exception>
    public async Task<HealingReport> Run(Catalogue catalogue, CancellationToken cancellation)
    {
        var problems = new HealingProblems();
        var live = _node.Live;
        var chains = _node.Chains.Where(chain => !catalogue.Deleted.Contains(chain.LogId)).ToList();
        var needs = await _node.Run(files =>
        {
            var found = chains.SelectMany(chain => ReplicaNeed.Under(chain, _node.Self, files.Here, catalogue, live)).ToList();

            // Of a log whose chain is lost here, which it may list a copy of, nothing is known.
            files.DiscardCopies(chains.Select(chain => chain.LogId).Concat(catalogue.Deleted).ToHashSet(), Needed(chains, files, catalogue));
            return found;
        });
        foreach (var need in needs)
        {
            if (await _mending.Mend(need, cancellation) is { } reason)
            {
                problems.Lacking(need, reason);
            }
        }

        foreach (var (chain, segmentId) in _invitations.All)
        {
            await _taking.Accept(chain, segmentId, catalogue, cancellation);
        }

        await _vacancies.Fill(chains, catalogue, problems, cancellation);
        return problems.ToReport();
    }

    /// <summary>The segments whose copies are kept: the others need none, as far as this node knows.</summary>
    private HashSet<Guid> Needed(List<Chain> chains, IReplicaFiles files, Catalogue catalogue) =>
    [
        .. _invitations.All.Select(invitation => invitation.SegmentId),

        // A replica that cannot be read is not mended, and may be all the same when its medium answers again.
        .. chains.SelectMany(chain => chain.Segments.Where(segment => EnsembleRepair.HasVacancy(segment, chain.Options.Replicas, catalogue)
            || (segment.Ensemble.Contains(_node.Self) && !ReplicaNeed.IsWhole(segment, files.Here(segment))))).Select(segment => segment.Id),
    ];
}
