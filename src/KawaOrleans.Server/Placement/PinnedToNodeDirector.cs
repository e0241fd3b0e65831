using KawaOrleans.Server.Nodes;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace KawaOrleans.Server.Placement;

/// <summary>Finds the live silo of the node that the key names: no look-up, no state.</summary>
/// <remarks>
/// Nobody there: an <see cref="OrleansException"/>, which the placement pipeline repeats for some 0.4 s, long enough to hide a
/// restart's join, before the caller gets it. A key that names no node is a plain exception, which it does not repeat.
/// </remarks>
internal sealed class PinnedToNodeDirector(LiveNodes nodes) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        if (!target.GrainIdentity.TryGetGuidKey(out _, out var node) || Names.WhyNotKey(node) is not null)
        {
            throw new ArgumentException($"'{target.GrainIdentity}' is no segment's key: it is (segment id, node name).");
        }

        return nodes.Find(node!, context.GetCompatibleSilos(target)) is { } silo
            ? Task.FromResult(silo)
            : Task.FromException<SiloAddress>(new NodeUnavailableException(node!));
    }
}
