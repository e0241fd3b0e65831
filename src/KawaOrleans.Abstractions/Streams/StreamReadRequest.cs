namespace KawaOrleans;

/// <summary>Events of one stream, as far as one segment holds them.</summary>
[GenerateSerializer, Immutable, Alias("kawa.stream-read-request")]
public sealed record StreamReadRequest
{
    /// <summary>The stream's name; or that of the stream with its metadata, <see cref="StreamMetadata.StreamOf"/>.</summary>
    [Id(0)]
    public required string Stream { get; init; }

    /// <summary>The revision of the first event wanted: the lowest, or with <see cref="Backward"/> the highest; 0 unless set.</summary>
    [Id(1)]
    public long From { get; init; }

    /// <summary>True for the newest of the events up to <see cref="From"/>; false (the default) for the oldest of those from there on.</summary>
    [Id(2)]
    public bool Backward { get; init; }

    /// <summary>At most so many events; unbounded unless set. 0: only what the segment holds of the stream.</summary>
    [Id(3)]
    public int MaxEvents { get; init; } = int.MaxValue;

    /// <summary>About so many bytes, at least one event; 1 MiB unless set, at most 8 MiB.</summary>
    [Id(4)]
    public int MaxBytes { get; init; } = 1024 * 1024;

    /// <summary>True to be told in <see cref="StreamReadResult.Standing"/> what is known of the stream where the segment ends; false unless set.</summary>
    [Id(5)]
    public bool WithStanding { get; init; }

    /// <summary>Set to be told in <see cref="StreamReadResult.FirstSince"/> where the events begin that were recorded then or later.</summary>
    [Id(6)]
    public DateTimeOffset? RecordedFrom { get; init; }

    /// <summary>How long to wait for the event <see cref="From"/> or a later one, forward only; not at all unless set, at most 2 s.</summary>
    [Id(7)]
    public TimeSpan Wait { get; init; }

    /// <summary>The position below which the replica must know everything; see <see cref="ReadRequest.AtLeast"/>. A replica that knows less of the log than
    /// another shows fewer events of a stream, and nobody could tell by the events. 0 unless set.</summary>
    [Id(8)]
    public long AtLeast { get; init; }
}

/// <summary>What a segment answered to a read of a stream.</summary>
[GenerateSerializer, Immutable, Alias("kawa.stream-read-result")]
public sealed record StreamReadResult
{
    /// <summary>In <see cref="Before"/>: whether the stream has events before the segment is not known at its node.</summary>
    public const long NotKnown = -2;

    /// <summary>The events, as frames, the older first whatever the direction. None when the first one wanted lies before the segment.</summary>
    [Id(0)]
    public required FrameBlock Events { get; init; }

    /// <summary>How many events of the stream the segment holds.</summary>
    [Id(1)]
    public required int Count { get; init; }

    /// <summary>The revision of the first of them; with none it means nothing.</summary>
    [Id(2)]
    public required long First { get; init; }

    /// <summary>The position of the stream's last event before the segment; −1: it has none; <see cref="NotKnown"/>.</summary>
    [Id(3)]
    public required long Before { get; init; }

    /// <summary>True when the replica takes no more events: newer ones may lie in a later segment. It need not have all of its own: where that ends the chain says.</summary>
    [Id(4)]
    public required bool HasEnded { get; init; }

    /// <summary>What is known of the stream where the segment ends; null when it was not asked for, or is not known at its node.</summary>
    [Id(5)]
    public StreamStanding? Standing { get; init; }

    /// <summary>With <see cref="StreamReadRequest.RecordedFrom"/>: the revision of the first event here that was recorded then or later; behind the last one
    /// here when all are older. Else 0.</summary>
    [Id(6)]
    public long FirstSince { get; init; }

    /// <summary>The segment's committed end when it answered: all of the stream's events below it are counted here.</summary>
    [Id(7)]
    public long Committed { get; init; }
}
