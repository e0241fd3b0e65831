namespace KawaOrleans;

/// <summary>Frames arrived that do not verify: damaged on the way or on disk. The message names segment and offset.</summary>
[GenerateSerializer, Alias("kawa.error.corrupt-block")]
public sealed class CorruptBlockException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public CorruptBlockException(Guid segmentId, long offset, string found)
        : base($"Segment {segmentId:N}, offset {offset}: the frame does not verify ({found}).")
    {
        SegmentId = segmentId;
        Offset = offset;
    }

    /// <summary>The segment.</summary>
    [Id(0)]
    public Guid SegmentId { get; }

    /// <summary>The offset in its file.</summary>
    [Id(1)]
    public long Offset { get; }
}
