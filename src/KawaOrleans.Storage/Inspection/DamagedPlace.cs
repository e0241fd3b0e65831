namespace KawaOrleans.Storage.Inspection;

/// <summary>A place that does not hold what was written.</summary>
internal readonly record struct DamagedPlace(string Path, long Offset, string Found)
{
    public static DamagedPlace Of(SegmentDamagedException e) => new(e.Path, e.Offset, e.Found);
}
