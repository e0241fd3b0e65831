namespace KawaOrleans;

/// <summary>What became of a batch.</summary>
[GenerateSerializer, Immutable, Alias("kawa.append-result")]
public abstract record AppendResult;

/// <summary>The batch is on disk.</summary>
/// <param name="First">The position of its first event.</param>
/// <param name="Count">Its number of events; they have consecutive positions.</param>
/// <param name="Recorded">The writer's time.</param>
[GenerateSerializer, Immutable, Alias("kawa.appended")]
public sealed record Appended([property: Id(0)] long First, [property: Id(1)] int Count, [property: Id(2)] DateTimeOffset Recorded) : AppendResult
{
    /// <summary>The position of the batch's last event.</summary>
    public long Last => First + Count - 1;
}

/// <summary>Nothing was written: the segment takes no more, the log goes on in another. Ask the directory for the chain.</summary>
[GenerateSerializer, Immutable, Alias("kawa.segment-ended")]
public sealed record SegmentEnded : AppendResult;

/// <summary>Nothing was written: this node is not the segment's writer.</summary>
/// <param name="Reason">Why, in one sentence.</param>
[GenerateSerializer, Immutable, Alias("kawa.not-primary")]
public sealed record NotPrimary([property: Id(0)] string Reason) : AppendResult;
