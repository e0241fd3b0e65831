namespace KawaOrleans.Server.Protocol;

/// <summary>Fences an open segment on all of its nodes at once, and brings enough of them to its end.</summary>
internal sealed class Fencing(INodes nodes)
{
    /// <summary>Makes the segment refuse its writer and decides where it ends.</summary>
    public async Task<FenceDecision> Fence(Chain chain, ChainSegment open, CancellationToken cancellation) =>
        FenceDecision.From(open, chain.Version, await Ask(chain, open, cancellation));

    /// <summary>The same, and then copies what shorter replicas lack until A hold everything below the end, as far as A answer.</summary>
    public async Task<FenceDecision> End(Chain chain, ChainSegment open, CancellationToken cancellation)
    {
        var answers = await Ask(chain, open, cancellation);
        var decision = FenceDecision.From(open, chain.Version, answers);
        if (decision is not FenceDecision.Ended ended)
        {
            return decision;
        }

        var reached = open.Ensemble.Zip(answers).ToDictionary(node => node.First, node => node.Second is { IsKnown: true, Value.Position: var position } && position >= ended.End);
        ended = ended with { WholeFirst = [.. open.Ensemble.OrderBy(node => !reached[node])] };
        return CompletionPlan.For(open, ended.End, answers) is { } plan ? await Complete(chain, open, ended, plan, cancellation) : ended;
    }

    private Task<NodeAnswer<FencedTail>[]> Ask(Chain chain, ChainSegment open, CancellationToken cancellation) => Task.WhenAll(
        open.Ensemble.Select(node => nodes.Fence(node.Name, chain.LogId, open.Id, open.Generation, cancellation)));

    private async Task<FenceDecision> Complete(
        Chain chain, ChainSegment open, FenceDecision.Ended ended, CompletionPlan plan, CancellationToken cancellation)
    {
        var answers = await Task.WhenAll(plan.Short.Select(
            node => nodes.Complete(node, chain.LogId, open.Id, open.Generation, plan.Source, ended.End, cancellation)));
        var failed = plan.Short.Zip(answers).Where(node => !(node.Second.IsKnown && node.Second.Value >= ended.End)).ToList();
        return plan.Short.Count - failed.Count >= plan.Missing
            ? ended
            : new FenceDecision.TooFew($"segment {open.Id:N} ends at {ended.End} and is not yet on {open.AckQuorum} nodes: "
                + string.Join("; ", failed.Select(node => $"node '{node.First}' did not take the rest from '{plan.Source}' "
                    + $"({node.Second.Unknown ?? $"it reaches {node.Second.Value}"})")));
    }
}
