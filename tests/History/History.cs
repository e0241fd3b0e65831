using System.Collections.Concurrent;

namespace KawaOrleans.Tests.History;

/// <summary>What callers did and were told, in the order of one logical clock. Recorded from any thread.</summary>
/// <remarks>The order is real: an operation that ended before another began has the smaller number. Record the beginning before
/// the call and the end after it.</remarks>
public sealed class History
{
    private readonly ConcurrentQueue<RecordedAppend> _appends = new();
    private readonly ConcurrentQueue<RecordedRead> _reads = new();
    private long _clock;

    /// <summary>Every try to append.</summary>
    public IReadOnlyCollection<RecordedAppend> Appends => _appends;

    /// <summary>Every read.</summary>
    public IReadOnlyCollection<RecordedRead> Reads => _reads;

    /// <summary>Begins a try to append. Without a later call its outcome is unknown.</summary>
    public RecordedAppend Append(IReadOnlyList<GivenEvent> events, params IReadOnlyList<Expectation> expected)
    {
        var append = new RecordedAppend(Tick(), events, expected);
        _appends.Enqueue(append);
        return append;
    }

    /// <summary>The try was acknowledged with its first event at this position.</summary>
    public void Acknowledged(RecordedAppend append, long first)
    {
        append.First = first;
        append.Outcome = Outcome.Acknowledged;
        append.End = Tick();
    }

    /// <summary>The try was refused; nothing was written by it.</summary>
    public void Refused(RecordedAppend append, (string Stream, long Last)? conflict = null)
    {
        append.Conflict = conflict;
        append.Outcome = Outcome.Refused;
        append.End = Tick();
    }

    /// <summary>Begins a read of the log from a position on, or of a stream from a revision on.</summary>
    public RecordedRead Read(long from = 0, string? stream = null)
    {
        var read = new RecordedRead(Tick(), stream, from);
        _reads.Enqueue(read);
        return read;
    }

    /// <summary>The read saw these events.</summary>
    /// <param name="read">The read.</param>
    /// <param name="seen">Their ids, in the order seen.</param>
    /// <param name="toTheEnd">True when it went on until nothing more was there.</param>
    public void Saw(RecordedRead read, IReadOnlyList<Guid> seen, bool toTheEnd)
    {
        read.Seen = seen;
        read.ToTheEnd = toTheEnd;
        read.End = Tick();
    }

    private long Tick() => Interlocked.Increment(ref _clock);
}
