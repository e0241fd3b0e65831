namespace KawaOrleans.Tests.History;

/// <summary>How an operation ended, as its caller was told.</summary>
public enum Outcome
{
    /// <summary>Nobody was told: it may or may not have happened, and may still happen.</summary>
    Unknown,

    /// <summary>It happened; the answer says where.</summary>
    Acknowledged,

    /// <summary>It did not happen and never will.</summary>
    Refused,
}

/// <summary>One event as it was given.</summary>
public readonly record struct GivenEvent(Guid Id, string Stream);

/// <summary>What a writer expects of a stream.</summary>
public readonly record struct Expectation(string Stream, long Revision)
{
    /// <summary>That the stream has no event.</summary>
    public const long NoStream = -1;

    /// <summary>That the stream has an event.</summary>
    public const long SomeEvent = -2;

    /// <summary>True when it holds of a stream whose last revision is this; −1: no event.</summary>
    public bool Allows(long last) => Revision == SomeEvent ? last >= 0 : last == Revision;
}

/// <summary>One try to append a batch. A repetition with the same ids is a try of its own.</summary>
public sealed class RecordedAppend
{
    internal RecordedAppend(long start, IReadOnlyList<GivenEvent> events, IReadOnlyList<Expectation> expected)
    {
        Start = start;
        Events = events;
        Expected = expected;
    }

    /// <summary>The batch.</summary>
    public IReadOnlyList<GivenEvent> Events { get; }

    /// <summary>What was expected of streams, written or not.</summary>
    public IReadOnlyList<Expectation> Expected { get; }

    /// <summary>When it was begun.</summary>
    public long Start { get; }

    /// <summary>When its answer came; never, if none did.</summary>
    public long End { get; internal set; } = long.MaxValue;

    /// <summary>How it ended.</summary>
    public Outcome Outcome { get; internal set; }

    /// <summary>Acknowledged: the position of its first event.</summary>
    public long First { get; internal set; }

    /// <summary>Refused for a revision: the stream and the last revision that the answer named.</summary>
    public (string Stream, long Last)? Conflict { get; internal set; }
}

/// <summary>One read of a stretch of the log, or of a stream.</summary>
public sealed class RecordedRead
{
    internal RecordedRead(long start, string? stream, long from)
    {
        Start = start;
        Stream = stream;
        From = from;
    }

    /// <summary>The stream; null: the log.</summary>
    public string? Stream { get; }

    /// <summary>The first position, or revision, wanted.</summary>
    public long From { get; }

    /// <summary>When it was begun.</summary>
    public long Start { get; }

    /// <summary>When its last event came.</summary>
    public long End { get; internal set; }

    /// <summary>The ids seen, in the order seen.</summary>
    public IReadOnlyList<Guid> Seen { get; internal set; } = [];

    /// <summary>True when it went on until nothing more was there.</summary>
    public bool ToTheEnd { get; internal set; }
}
