namespace KawaOrleans;

/// <summary>A stretch of one segment.</summary>
[GenerateSerializer, Immutable, Alias("kawa.read-request")]
public sealed record ReadRequest
{
    /// <summary>The first position wanted.</summary>
    [Id(0)]
    public required long From { get; init; }

    /// <summary>The position behind the last one wanted; the segment's committed end unless set.</summary>
    [Id(1)]
    public long To { get; init; } = long.MaxValue;

    /// <summary>At most so many events; unbounded unless set.</summary>
    [Id(2)]
    public int MaxEvents { get; init; } = int.MaxValue;

    /// <summary>About so many bytes, at least one event; 1 MiB unless set, at most 8 MiB.</summary>
    [Id(3)]
    public int MaxBytes { get; init; } = 1024 * 1024;

    /// <summary>Which events; all unless set.</summary>
    [Id(4)]
    public EventFilter? Filter { get; init; }

    /// <summary>How long to wait when nothing is committed at <see cref="From"/> yet; not at all unless set, at most 2 s.</summary>
    [Id(5)]
    public TimeSpan Wait { get; init; }

    /// <summary>The position below which the replica must know everything: what the reader has seen of the log, or the segment's end. One that knows less,
    /// and whose segment did not end before, answers <see cref="BehindException"/> and nothing else. 0 unless set: whatever it knows will do.</summary>
    [Id(6)]
    public long AtLeast { get; init; }
}

/// <summary>What a segment answered to a read.</summary>
[GenerateSerializer, Immutable, Alias("kawa.read-result")]
public sealed record ReadResult
{
    /// <summary>The events, as frames; may be none.</summary>
    [Id(0)]
    public required FrameBlock Events { get; init; }

    /// <summary>Where to go on: everything wanted below it is in <see cref="Events"/>.</summary>
    [Id(1)]
    public required long Next { get; init; }

    /// <summary>The segment's committed end when it answered.</summary>
    [Id(2)]
    public required long Committed { get; init; }

    /// <summary>True when the segment is sealed and <see cref="Next"/> is its end: the log goes on in the next segment.</summary>
    [Id(3)]
    public required bool AtEndOfSegment { get; init; }

    /// <summary>How many bytes of frames were looked at on the way from <see cref="ReadRequest.From"/> to <see cref="Next"/>: those of
    /// <see cref="Events"/>, and with a filter also those it left out. Tells a reader how far its next request will get.</summary>
    [Id(4)]
    public long ExaminedBytes { get; init; }

    /// <summary>True when the replica takes no more events. It need not have all of its segment: where that ends the chain says.</summary>
    [Id(5)]
    public bool HasEnded { get; init; }
}
