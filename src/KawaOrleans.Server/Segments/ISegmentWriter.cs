using Orleans.Metadata;

namespace KawaOrleans.Server.Segments;

/// <summary>A segment's grain, as the writer of the segment before it calls it.</summary>
[GrainInterfaceType("kawa.segment-writer"), Alias("kawa.segment-writer"), DefaultGrainType("kawa.segment")]
internal interface ISegmentWriter : IGrainWithGuidCompoundKey
{
    /// <summary>Gets ready for the first append: takes the write handle and tells followers so, as that append would have to.</summary>
    [Alias("Begin"), ResponseTimeout("00:00:05")]
    Task Begin();
}
