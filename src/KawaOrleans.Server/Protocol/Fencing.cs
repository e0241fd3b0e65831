namespace KawaOrleans.Server.Protocol;

/// <summary>Fences an open segment on all of its nodes at once, and brings enough of them to its end.</summary>
internal sealed class Fencing(INodes nodes)
{
    /// <summary>Makes the segment refuse its writer and decides where it ends.</summary>
    public async Task<FenceDecision> Fence(Chain chain, ChainSegment open, CancellationToken cancellation) =>
        FenceDecision.From(open, chain.Version, await Ask(chain, open, cancellation));

    /// <summary>The same, and then copies what shorter replicas lack until A hold everything below the end, as far as A answer. A node from which that
    /// cannot be had, say because it rotted there, is taken for one that did not answer: the others may be enough to end the segment before it.</summary>
    /// <param name="chain">The chain that lists it.</param>
    /// <param name="open">The segment.</param>
    /// <param name="isAcknowledged">Its primary says that it wrote nothing which is not acknowledged: if that is so when it is fenced, no other needs to be asked.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<FenceDecision> End(Chain chain, ChainSegment open, bool isAcknowledged, CancellationToken cancellation)
    {
        if (isAcknowledged)
        {
            var primary = await nodes.Fence(open.Primary, chain.LogId, open.Id, open.Generation, cancellation);
            if (FenceDecision.EndsAlone(open, primary))
            {
                return FenceDecision.From(open, chain.Version, [primary, .. open.Ensemble.Skip(1).Select(static _ => new NodeAnswer<FencedTail>(null, "it was not asked"))]);
            }
        }

        FenceDecision.TooFew? whyNot = null;
        var unable = new Dictionary<string, string>(StringComparer.Ordinal);
        while (true)
        {
            var answers = await Ask(chain, open, cancellation);
            for (var i = 0; i < answers.Length; i++)
            {
                answers[i] = unable.TryGetValue(open.Ensemble[i].Name, out var why) ? new NodeAnswer<FencedTail>(null, why) : answers[i];
            }

            var decision = FenceDecision.From(open, chain.Version, answers);
            if (decision is not FenceDecision.Ended ended)
            {
                return decision is FenceDecision.TooFew && whyNot is not null ? whyNot : decision;
            }

            var reached = open.Ensemble.Zip(answers).ToDictionary(node => node.First, node => node.Second is { IsKnown: true, Value.Position: var position } && position >= ended.End);
            ended = ended with { WholeFirst = [.. open.Ensemble.OrderBy(node => !reached[node])] };
            if (CompletionPlan.For(open, ended.End, answers) is not { } plan || await Complete(chain, open, ended.End, plan, cancellation) is not { } incomplete)
            {
                return ended;
            }

            whyNot ??= incomplete;
            unable.Add(plan.Source, incomplete.Why);
        }
    }

    private Task<NodeAnswer<FencedTail>[]> Ask(Chain chain, ChainSegment open, CancellationToken cancellation) => Task.WhenAll(
        open.Ensemble.Select(node => nodes.Fence(node.Name, chain.LogId, open.Id, open.Generation, cancellation)));

    /// <summary>Why fewer than planned took the rest, or null.</summary>
    private async Task<FenceDecision.TooFew?> Complete(Chain chain, ChainSegment open, long end, CompletionPlan plan, CancellationToken cancellation)
    {
        var answers = await Task.WhenAll(plan.Short.Select(
            node => nodes.Complete(node, chain.LogId, open.Id, open.Generation, plan.Source, end, cancellation)));
        var failed = plan.Short.Zip(answers).Where(node => !(node.Second.IsKnown && node.Second.Value >= end)).ToList();
        return plan.Short.Count - failed.Count >= plan.Missing
            ? null
            : new FenceDecision.TooFew($"segment {open.Id:N} ends at {end} and is not yet on {open.AckQuorum} nodes: "
                + string.Join("; ", failed.Select(node => $"node '{node.First}' did not take the rest from '{plan.Source}' "
                    + $"({node.Second.Unknown ?? $"it reaches {node.Second.Value}"})")));
    }
}
