namespace KawaOrleans;

/// <summary>A segment file failed or cannot be trusted. The message names file, place and reason. Whether an append in flight is in it is unknown.</summary>
[GenerateSerializer, Alias("kawa.error.segment-faulted")]
public sealed class SegmentFaultedException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public SegmentFaultedException(Guid segmentId, string node, string reason)
        : base($"Segment {segmentId:N} on node '{node}': {reason}")
    {
        SegmentId = segmentId;
        Node = node;
        Reason = reason;
    }

    /// <summary>The segment.</summary>
    [Id(0)]
    public Guid SegmentId { get; }

    /// <summary>The node.</summary>
    [Id(1)]
    public string Node { get; }

    /// <summary>What is wrong.</summary>
    [Id(2)]
    public string Reason { get; }
}
