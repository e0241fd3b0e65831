using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Healing;

/// <summary>Has nodes found for replicas that are nowhere: of each segment the first living node of its ensemble sees to it.</summary>
internal sealed class Vacancies(IMendingNode node, ILogger logger)
{
    // How much of its invitations a node hands out in one pass, each with a chain.
    private const int MaxInvitations = 64;

    /// <summary>Offers places to other nodes, and has segments ended that are open on nodes that were given up: then they are mended as others are.</summary>
    public async Task Fill(IReadOnlyList<Chain> chains, Catalogue catalogue, HealingProblems problems, CancellationToken cancellation)
    {
        var live = node.Live;
        List<NodeReport>? reports = null;
        var invited = 0;
        foreach (var chain in chains)
        {
            foreach (var segment in chain.Segments.Where(segment => EnsembleRepair.IsSeenTo(segment, node.Self, catalogue, live)))
            {
                problems.Waiting(chain, segment, catalogue, live);
                if (segment.IsOpen && segment.Ensemble.Any(member => catalogue.IsGivenUp(member.Id))
                    && await node.End(chain, segment, cancellation) is { } reason)
                {
                    logger.StaysOpen(segment.Id, chain.LogName, reason); // again at the next pass
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
                    await node.Invite(candidate.Name, chain, segment.Id, cancellation);
                }
            }
        }
    }

    private async Task<List<NodeReport>> Reports(IReadOnlyList<string> live, CancellationToken cancellation) =>
        [.. (await Task.WhenAll(live.Select(name => node.Report(name, cancellation)))).Where(answer => answer.IsKnown).Select(answer => answer.Value!)];
}
