namespace KawaOrleans.Storage;

/// <summary>Counts and bounds of time of a sealed segment; all times are UTC ticks.</summary>
/// <param name="Events">How many events.</param>
/// <param name="FirstRecorded">The first event's timestamp.</param>
/// <param name="LastRecorded">The last event's timestamp.</param>
/// <param name="WithOccurred">How many events have an occurred time.</param>
/// <param name="LeastOccurred">The least of those.</param>
/// <param name="GreatestOccurred">The greatest of those.</param>
public readonly record struct SegmentBounds(
    long Events, long FirstRecorded, long LastRecorded, long WithOccurred, long LeastOccurred, long GreatestOccurred)
{
    internal static SegmentBounds None => new(0, 0, 0, 0, long.MaxValue, long.MinValue);

    internal SegmentBounds With(in EventFrame e)
    {
        var occurred = e.OccurredTicks;
        return new SegmentBounds(
            Events + 1,
            Events == 0 ? e.RecordedTicks : FirstRecorded,
            e.RecordedTicks,
            WithOccurred + (occurred is null ? 0 : 1),
            Math.Min(LeastOccurred, occurred ?? long.MaxValue),
            Math.Max(GreatestOccurred, occurred ?? long.MinValue));
    }
}
