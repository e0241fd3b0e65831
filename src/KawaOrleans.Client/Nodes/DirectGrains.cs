namespace KawaOrleans.Client;

/// <summary>Grains whose node is known are called by that node's own gateway while there is one, all others the ordinary way.</summary>
internal sealed class DirectGrains(IGrains ordinary, NodeGateways gateways) : IGrains
{
    public IEventStoreGrain EventStore => ordinary.EventStore;

    public ISegmentDirectoryGrain Directory(string log) => ordinary.Directory(log);

    public ISegmentDirectoryGrain DirectoryNearby(string log, int turn) => ordinary.DirectoryNearby(log, turn);

    public ISegmentGrain Segment(Guid segmentId, string node) =>
        gateways.Find(node)?.Of(segmentId, node) ?? ordinary.Segment(segmentId, node);
}
