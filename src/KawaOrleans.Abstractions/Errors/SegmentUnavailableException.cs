namespace KawaOrleans;

/// <summary>None of the nodes that hold the segment could answer. The message names each and says why.</summary>
[GenerateSerializer, Alias("kawa.error.segment-unavailable")]
public sealed class SegmentUnavailableException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public SegmentUnavailableException(Guid segmentId, IReadOnlyList<ReplicaFailure> failures)
        : base($"No replica of segment {segmentId:N} could answer. {string.Join(" ", (failures ?? []).Select(static failure => $"'{failure.Node}': {failure.Reason}"))}")
    {
        SegmentId = segmentId;
        Failures = failures ?? [];
    }

    /// <summary>The segment.</summary>
    [Id(0)]
    public Guid SegmentId { get; }

    /// <summary>Each node that was asked, in that order, and what came of it.</summary>
    [Id(1)]
    public IReadOnlyList<ReplicaFailure> Failures { get; }

    /// <summary>True when one of them may answer later: it was away or behind, not damaged.</summary>
    public override bool IsRetryable => Failures.Any(static failure => failure.IsRetryable);
}

/// <summary>Why one replica could not answer.</summary>
/// <param name="Node">Its node.</param>
/// <param name="Reason">Why, in a sentence.</param>
/// <param name="IsRetryable">True when it may answer later.</param>
[GenerateSerializer, Immutable, Alias("kawa.replica-failure")]
public sealed record ReplicaFailure([property: Id(0)] string Node, [property: Id(1)] string Reason, [property: Id(2)] bool IsRetryable);
