namespace KawaOrleans.Client;

/// <summary>References to segment grains. To make one, Orleans looks up the interface's name among the attributes of its type, each time: a tenth
/// of all the client does for a small append. So those made are kept.</summary>
internal sealed class SegmentReferences(IGrainFactory factory)
{
    private readonly PerReplica<ISegmentGrain> _made = new((segmentId, node) => factory.GetGrain<ISegmentGrain>(segmentId, node, null));

    public ISegmentGrain Of(Guid segmentId, string node) => _made.Of(segmentId, node);
}
