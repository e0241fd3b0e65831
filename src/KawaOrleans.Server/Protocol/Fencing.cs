namespace KawaOrleans.Server.Protocol;

/// <summary>Fences an open segment on all of its nodes at once.</summary>
internal sealed class Fencing(INodes nodes)
{
    public async Task<FenceDecision> Fence(Chain chain, ChainSegment open, CancellationToken cancellation)
    {
        var answers = await Task.WhenAll(
            open.Ensemble.Select(node => nodes.Fence(node.Name, chain.LogId, open.Id, open.Generation, cancellation)));
        return FenceDecision.From(open, chain.Version, answers);
    }
}
