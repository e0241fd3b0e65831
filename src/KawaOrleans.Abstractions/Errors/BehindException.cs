namespace KawaOrleans;

/// <summary>This replica does not know everything below the position that it must answer for. Another one may, and so may this one later.</summary>
[GenerateSerializer, Alias("kawa.error.behind")]
public sealed class BehindException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public BehindException(Guid segmentId, string node, long known, long atLeast)
        : base($"Segment {segmentId:N} on node '{node}' is known there to be committed up to position {known}, and must be up to {atLeast}. Ask another of its nodes.")
    {
        SegmentId = segmentId;
        Node = node;
        Known = known;
        AtLeast = atLeast;
    }

    /// <summary>The segment.</summary>
    [Id(0)]
    public Guid SegmentId { get; }

    /// <summary>The node.</summary>
    [Id(1)]
    public string Node { get; }

    /// <summary>The position up to which it knows the segment to be committed.</summary>
    [Id(2)]
    public long Known { get; }

    /// <summary>The position that was asked for.</summary>
    [Id(3)]
    public long AtLeast { get; }

    /// <inheritdoc/>
    public override bool IsRetryable => true;
}
