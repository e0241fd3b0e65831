namespace KawaOrleans.Client;

/// <summary>Makes objects of events. Stream and type names come again and again: one that was met lately is not decoded anew.</summary>
internal sealed class EventDecoder
{
    private readonly RecentNames _streams = new(entriesLog2: 11);
    private readonly RecentNames _types = new(entriesLog2: 6);

    public RecordedEvent Decode(in EventFrame e) => new()
    {
        Position = e.Position,
        Revision = e.Revision,
        Stream = _streams.Get(e.StreamUtf8),
        Type = _types.Get(e.TypeUtf8),
        Id = e.Id,
        Recorded = new DateTimeOffset(e.RecordedTicks, TimeSpan.Zero),
        Occurred = e.OccurredTicks is { } ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null,
        Data = e.Data.ToArray(),
        Metadata = e.Metadata.ToArray(),
    };
}
