namespace KawaOrleans.Tests.History;

/// <summary>Holds a log, as it is in the end, against what callers did and were told.</summary>
/// <remarks>
/// The log itself is the order in which everything took effect, so no search for an order is needed: an append takes effect at
/// its place, a read sees a prefix, and each must fit between its beginning and its end. Cost: n log n.
/// </remarks>
public sealed class HistoryCheck
{
    private readonly History _history;
    private readonly IReadOnlyList<FinalEvent> _log;
    private readonly Dictionary<Guid, int> _placeOf = [];
    private readonly Dictionary<string, List<int>> _streams = [];
    private readonly List<Violation> _found = [];

    /// <summary>For each event: the time of its first acknowledgement.</summary>
    private readonly long[] _acknowledgedAt;

    /// <summary>For each event: the first time at which it, or one behind it, was acknowledged. From then on every read must see it.</summary>
    private readonly long[] _knownAt;

    /// <summary>For each event: the time its first try began.</summary>
    private readonly long[] _givenAt;

    private HistoryCheck(History history, IReadOnlyList<FinalEvent> log)
    {
        _history = history;
        _log = log;
        _acknowledgedAt = new long[log.Count];
        _knownAt = new long[log.Count];
        _givenAt = new long[log.Count];
    }

    /// <summary>Every broken promise; none if the log keeps them.</summary>
    public static IReadOnlyList<Violation> Find(History history, IReadOnlyList<FinalEvent> log)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(log);
        var check = new HistoryCheck(history, log);
        check.Log();
        if (check._found.Count == 0)
        {
            check.Appends();
            check.Order();
            check.Expectations();
            check.Reads();
        }

        return check._found;
    }

    private void Log()
    {
        for (var i = 0; i < _log.Count; i++)
        {
            var e = _log[i];
            if (e.Position != i)
            {
                Add(ViolationKind.Lost, $"the event behind position {i - 1} has position {e.Position}");
                return;
            }

            if (!_placeOf.TryAdd(e.Id, i))
            {
                Add(ViolationKind.Duplicate, $"event {e.Id} lies at {_placeOf[e.Id]} and at {i}");
            }

            if (!_streams.TryGetValue(e.Stream, out var places))
            {
                _streams.Add(e.Stream, places = []);
            }

            if (e.Revision != places.Count)
            {
                Add(ViolationKind.RevisionMismatch, $"the event at {i} has revision {e.Revision} of '{e.Stream}' where {places.Count} comes next");
            }

            places.Add(i);
        }
    }

    private void Appends()
    {
        Array.Fill(_acknowledgedAt, long.MaxValue);
        Array.Fill(_givenAt, long.MaxValue);
        var mayBeThere = new HashSet<Guid>();
        var written = new HashSet<Guid>();
        foreach (var append in _history.Appends)
        {
            if (append.Outcome != Outcome.Refused)
            {
                mayBeThere.UnionWith(append.Events.Select(e => e.Id));
            }

            var first = Place(append);
            if (first is null)
            {
                continue;
            }

            written.Add(append.Events[0].Id);
            for (var i = 0; i < append.Events.Count; i++)
            {
                _givenAt[first.Value + i] = Math.Min(_givenAt[first.Value + i], append.Start);
                if (append.Outcome == Outcome.Acknowledged)
                {
                    _acknowledgedAt[first.Value + i] = Math.Min(_acknowledgedAt[first.Value + i], append.End);
                }
            }
        }

        foreach (var e in _log.Where(e => !mayBeThere.Contains(e.Id)))
        {
            Add(ViolationKind.Phantom, $"the event at {e.Position} was given by nobody, or only by appends that were refused");
        }
    }

    /// <summary>Where the batch lies, or null where it does not; whether that is as it was told.</summary>
    private int? Place(RecordedAppend append)
    {
        var there = append.Events.Count(e => _placeOf.ContainsKey(e.Id));
        if (there < append.Events.Count)
        {
            if (append.Outcome == Outcome.Acknowledged)
            {
                Add(ViolationKind.Lost, $"of the {append.Events.Count} events acknowledged at {append.First}, {there} are there");
            }
            else if (there > 0 && append.Outcome == Outcome.Unknown)
            {
                Add(ViolationKind.Lost, $"of a batch of {append.Events.Count} events without an answer, {there} are there: all or none");
            }

            return null;
        }

        var first = _placeOf[append.Events[0].Id];
        for (var i = 0; i < append.Events.Count; i++)
        {
            var place = _placeOf[append.Events[i].Id];
            if (place != first + i)
            {
                Add(ViolationKind.Reordered, $"event {i} of the batch at {first} lies at {place}");
                return null;
            }

            if (_log[place].Stream != append.Events[i].Stream)
            {
                Add(ViolationKind.Phantom, $"the event at {place} was given to '{append.Events[i].Stream}' and lies in '{_log[place].Stream}'");
            }
        }

        if (append.Outcome == Outcome.Acknowledged && append.First != first)
        {
            Add(ViolationKind.Lost, $"a batch was acknowledged at {append.First} and lies at {first}");
        }

        return first;
    }

    /// <summary>What was acknowledged before something was given lies before it.</summary>
    private void Order()
    {
        var behind = long.MaxValue;
        for (var i = _log.Count - 1; i >= 0; i--)
        {
            if (behind < _givenAt[i])
            {
                Add(ViolationKind.Reordered, $"the event at {i} was given after one behind it had been acknowledged");
            }

            behind = Math.Min(behind, _acknowledgedAt[i]);
            _knownAt[i] = behind;
        }
    }

    private void Expectations()
    {
        foreach (var append in _history.Appends)
        {
            if (append.Outcome == Outcome.Acknowledged && _placeOf.TryGetValue(append.Events[0].Id, out var first))
            {
                foreach (var expected in append.Expected)
                {
                    var last = LastBefore(expected.Stream, first);
                    if (!expected.Allows(last))
                    {
                        Add(ViolationKind.RevisionMismatch, $"the batch at {first} expected {expected.Revision} of '{expected.Stream}', which was at {last}");
                    }
                }
            }
            else if (append is { Outcome: Outcome.Refused, Conflict: { } conflict })
            {
                Conflict(append, conflict.Stream, conflict.Last);
            }
        }
    }

    /// <summary>The stream was at that revision at some moment between the beginning and the end of the refused append.</summary>
    private void Conflict(RecordedAppend append, string stream, long last)
    {
        var places = _streams.GetValueOrDefault(stream) ?? [];
        if (append.Expected.Any(e => e.Stream == stream && e.Allows(last)))
        {
            Add(ViolationKind.RevisionMismatch, $"an append was refused because '{stream}' was at {last}, as it had expected");
        }
        else if (last >= places.Count)
        {
            Add(ViolationKind.Phantom, $"an append was refused because '{stream}' was at {last}; it ends at {places.Count - 1}");
        }
        else if (last >= 0 && _givenAt[places[(int)last]] > append.End)
        {
            Add(ViolationKind.Phantom, $"an append was refused because '{stream}' was at {last}, which was given only afterwards");
        }
        else if (last + 1 < places.Count && _knownAt[places[(int)last + 1]] < append.Start)
        {
            Add(ViolationKind.Stale, $"an append was refused because '{stream}' was at {last}; a later revision had been acknowledged before");
        }
    }

    private void Reads()
    {
        foreach (var read in _history.Reads.Where(r => r.End != 0))
        {
            var places = read.Stream is null ? null : _streams.GetValueOrDefault(read.Stream) ?? [];
            var count = places?.Count ?? _log.Count;
            var what = read.Stream is null ? "the log" : $"'{read.Stream}'";
            var next = (int)Math.Min(read.From, int.MaxValue);
            foreach (var id in read.Seen)
            {
                if (!_placeOf.TryGetValue(id, out var place))
                {
                    Add(ViolationKind.Phantom, $"a read of {what} saw event {id} at {next}, which is not there in the end");
                    break;
                }

                if (next >= count || place != (places?[next] ?? next))
                {
                    Add(ViolationKind.Reordered, $"a read of {what} saw the event of position {place} at {next}");
                    break;
                }

                if (_givenAt[place] > read.End)
                {
                    Add(ViolationKind.Phantom, $"a read of {what} saw the event at {place} before it was given");
                }

                next++;
            }

            if (read.ToTheEnd && next < count && _knownAt[places?[next] ?? next] < read.Start)
            {
                Add(ViolationKind.Stale, $"a read of {what} ended before {next}, which had been acknowledged before it began");
            }
        }
    }

    private long LastBefore(string stream, int place)
    {
        var places = _streams.GetValueOrDefault(stream) ?? [];
        var index = places.BinarySearch(place);
        return (index < 0 ? ~index : index) - 1;
    }

    private void Add(ViolationKind kind, string what) => _found.Add(new Violation(kind, what));
}
