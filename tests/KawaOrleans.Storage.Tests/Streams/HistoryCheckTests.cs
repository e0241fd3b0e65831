using KawaOrleans.Tests.History;

namespace KawaOrleans.Storage.Tests.Streams;

/// <summary>The checker of histories: silent about a log that keeps its promises, and loud about each way of breaking one.</summary>
public sealed class HistoryCheckTests
{
    private readonly History _history = new();
    private readonly List<FinalEvent> _log = [];
    private int _ids;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_history_of_a_log_that_does_what_it_says_is_accepted(int seed)
    {
        var random = new Random(seed);
        for (var step = 0; step < 500; step++)
        {
            switch (random.Next(5))
            {
                case 0:
                    var read = _history.Read(random.Next(_log.Count + 1));
                    _history.Saw(read, [.. _log.Skip((int)read.From).Select(e => e.Id)], toTheEnd: true);
                    break;
                case 1:
                    _history.Append([New("a")]);
                    break;
                case 2:
                    var written = Write(Ask(New("a"), New("b")));
                    Write(_history.Append(written.Events), again: true);
                    break;
                case 3:
                    var wrong = _history.Append([New("a")], new Expectation("a", Count("a") + 3));
                    _history.Refused(wrong, ("a", Count("a") - 1));
                    break;
                default:
                    Write(_history.Append([New("b")], new Expectation("b", Count("b") - 1)));
                    break;
            }
        }

        Assert.Empty(HistoryCheck.Find(_history, _log));
    }

    [Fact]
    public void An_append_without_an_answer_may_be_there_or_not()
    {
        Lie(Ask(New("a")));
        Ask(New("a"));
        Assert.Empty(HistoryCheck.Find(_history, _log));
    }

    [Fact]
    public void An_acknowledged_event_that_is_not_there_is_lost()
    {
        _history.Acknowledged(Ask(New("a")), 0);
        Finds(ViolationKind.Lost);
    }

    [Fact]
    public void An_event_that_is_not_where_its_answer_said_is_lost()
    {
        var append = Ask(New("a"));
        Lie(append);
        _history.Acknowledged(append, 7);
        Finds(ViolationKind.Lost);
    }

    [Fact]
    public void Half_a_batch_is_lost_even_without_an_answer()
    {
        var append = Ask(New("a"), New("a"));
        _log.Add(new FinalEvent(0, 0, "a", append.Events[0].Id));
        Finds(ViolationKind.Lost);
    }

    [Fact]
    public void A_hole_in_the_positions_is_a_loss()
    {
        Write(Ask(New("a")));
        _log[0] = _log[0] with { Position = 1 };
        Finds(ViolationKind.Lost);
    }

    [Fact]
    public void An_event_that_is_there_twice_is_a_duplicate()
    {
        var append = Write(Ask(New("a")));
        Lie(append);
        Finds(ViolationKind.Duplicate);
    }

    [Fact]
    public void An_event_that_lies_before_one_acknowledged_before_it_was_given_is_reordered()
    {
        var (first, second) = (New("a"), New("a"));
        var earlier = _history.Append([first]);
        _history.Acknowledged(earlier, 1);
        var later = _history.Append([second]);
        _history.Acknowledged(later, 0);
        Lie(later);
        Lie(earlier);
        Finds(ViolationKind.Reordered);
    }

    [Fact]
    public void A_batch_with_something_in_its_middle_is_reordered()
    {
        var (batch, other) = (Ask(New("a"), New("a")), Ask(New("a")));
        foreach (var e in new[] { batch.Events[0], other.Events[0], batch.Events[1] })
        {
            Lie(e);
        }

        Finds(ViolationKind.Reordered);
    }

    [Fact]
    public void An_event_that_nobody_gave_is_a_phantom()
    {
        Lie(New("a"));
        Finds(ViolationKind.Phantom);
    }

    [Fact]
    public void A_refused_event_that_is_there_is_a_phantom()
    {
        var append = Ask(New("a"));
        _history.Refused(append);
        Lie(append);
        Finds(ViolationKind.Phantom);
    }

    [Fact]
    public void A_read_of_an_event_that_is_not_there_in_the_end_saw_a_phantom()
    {
        Write(Ask(New("a")));
        _history.Saw(_history.Read(1), [Guid.NewGuid()], toTheEnd: true);
        Finds(ViolationKind.Phantom);
    }

    [Fact]
    public void A_read_with_a_gap_is_reordered()
    {
        Write(Ask(New("a")));
        Write(Ask(New("a")));
        _history.Saw(_history.Read(), [_log[1].Id], toTheEnd: true);
        Finds(ViolationKind.Reordered);
    }

    [Fact]
    public void A_read_that_misses_what_was_acknowledged_before_it_began_is_stale()
    {
        Write(Ask(New("a")));
        _history.Saw(_history.Read(), [], toTheEnd: true);
        Finds(ViolationKind.Stale);
    }

    [Fact]
    public void A_read_of_a_stream_is_held_against_the_stream()
    {
        Write(Ask(New("a"), New("b"), New("a")));
        _history.Saw(_history.Read(0, "a"), [_log[0].Id, _log[2].Id], toTheEnd: true);
        Assert.Empty(HistoryCheck.Find(_history, _log));
        _history.Saw(_history.Read(0, "a"), [_log[0].Id], toTheEnd: true);
        Finds(ViolationKind.Stale);
    }

    [Fact]
    public void A_refusal_that_names_an_outdated_revision_is_stale()
    {
        Write(Ask(New("a")));
        Write(Ask(New("a")));
        _history.Refused(_history.Append([New("a")], new Expectation("a", 5)), ("a", 0));
        Finds(ViolationKind.Stale);
    }

    [Fact]
    public void A_refusal_that_names_a_revision_nobody_reached_is_a_phantom()
    {
        Write(Ask(New("a")));
        _history.Refused(_history.Append([New("a")], new Expectation("a", 5)), ("a", 3));
        Finds(ViolationKind.Phantom);
    }

    [Fact]
    public void A_refusal_of_what_was_expected_rightly_is_a_mismatch()
    {
        Write(Ask(New("a")));
        _history.Refused(_history.Append([New("a")], new Expectation("a", 0)), ("a", 0));
        Finds(ViolationKind.RevisionMismatch);
    }

    [Fact]
    public void An_append_accepted_against_its_expectation_is_a_mismatch()
    {
        Write(Ask(New("a")));
        Write(_history.Append([New("a")], new Expectation("a", Expectation.NoStream)));
        Finds(ViolationKind.RevisionMismatch);
    }

    [Fact]
    public void An_append_accepted_against_what_it_expected_of_a_stream_it_does_not_write_is_a_mismatch()
    {
        Write(Ask(New("a")));
        Write(_history.Append([New("a")], new Expectation("b", Expectation.SomeEvent)));
        Finds(ViolationKind.RevisionMismatch);
    }

    [Fact]
    public void A_revision_left_out_is_a_mismatch()
    {
        Write(Ask(New("a")));
        _log[0] = _log[0] with { Revision = 1 };
        Finds(ViolationKind.RevisionMismatch);
    }

    private void Finds(ViolationKind kind) => Assert.Contains(HistoryCheck.Find(_history, _log), v => v.Kind == kind);

    private GivenEvent New(string stream) => new(new Guid(++_ids, 0, 0, new byte[8]), stream);

    private RecordedAppend Ask(params GivenEvent[] events) => _history.Append(events);

    private RecordedAppend Write(RecordedAppend append, bool again = false)
    {
        var first = again ? _log.FindIndex(e => e.Id == append.Events[0].Id) : _log.Count;
        if (!again)
        {
            Lie(append);
        }

        _history.Acknowledged(append, first);
        return append;
    }

    private void Lie(RecordedAppend append) => append.Events.ToList().ForEach(Lie);

    private void Lie(GivenEvent e) => _log.Add(new FinalEvent(_log.Count, Count(e.Stream), e.Stream, e.Id));

    private int Count(string stream) => _log.Count(e => e.Stream == stream);
}
