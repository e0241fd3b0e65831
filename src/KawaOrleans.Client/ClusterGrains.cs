using Orleans.Runtime;

namespace KawaOrleans.Client;

/// <summary>Where the client gets its grains from. A test gives it others.</summary>
internal interface IGrains
{
    IEventStoreGrain EventStore { get; }

    ISegmentDirectoryGrain Directory(string log);

    /// <summary>The same on a silo that this client is connected to; another turn may be another of these.</summary>
    ISegmentDirectoryGrain DirectoryNearby(string log, int turn);

    ISegmentGrain Segment(Guid segmentId, string node);
}

/// <summary>The grains of the cluster this process is connected to.</summary>
internal sealed class ClusterGrains(IGrainFactory factory) : IGrains
{
    private readonly SegmentReferences _segments = new(factory);

    public IEventStoreGrain EventStore => factory.GetGrain<IEventStoreGrain>(0);

    public ISegmentDirectoryGrain Directory(string log) => factory.GetGrain<ISegmentDirectoryGrain>(log);

    public ISegmentDirectoryGrain DirectoryNearby(string log, int turn) =>
        factory.GetGrain<ISegmentDirectoryGrain>(GrainId.Create(ISegmentDirectoryGrain.NearbyGrainType, $"{log}/{turn}"));

    public ISegmentGrain Segment(Guid segmentId, string node) => _segments.Of(segmentId, node);
}
