using System.Globalization;

namespace KawaOrleans.Faults.Tests.Soaking;

/// <summary>Holds a log, event by event, against what its callers were told. The promises: positions are dense from 0; an acknowledged batch
/// is where its answer said, once, whole and unchanged, behind those its caller had acknowledged before; a batch of unknown
/// outcome is there once and whole, or not at all; nothing else is there.</summary>
internal sealed class SoakAudit(int seed, IReadOnlyList<CallerRecord> callers)
{
    private readonly Dictionary<string, CallerRecord> _callers = callers.ToDictionary(static c => c.Name);
    private readonly Dictionary<string, HashSet<int>> _seen = callers.ToDictionary(static c => c.Name, static _ => new HashSet<int>());
    private readonly List<string> _violations = [];
    private readonly LogDigest _digest = new();
    private EventData[] _batch = [];
    private int _nextInBatch;

    /// <summary>Of all events so far.</summary>
    public LogDigest Digest => _digest;

    public void Next(RecordedEvent e)
    {
        if (_digest.Next(e) is { } gap)
        {
            _violations.Add(gap);
        }

        if (_nextInBatch == _batch.Length)
        {
            Begin(e);
        }

        if (_nextInBatch < _batch.Length && !IsSame(e, _batch[_nextInBatch++]))
        {
            Say($"the event at {e.Position} is not event {_nextInBatch - 1} of the batch that lies there");
            _batch = [];
            _nextInBatch = 0;
        }
    }

    /// <summary>Everything that is wrong, once all events were given.</summary>
    public IReadOnlyList<string> Violations()
    {
        if (_nextInBatch != _batch.Length)
        {
            Say($"the log ends inside a batch of {_batch[0].Stream}");
        }

        foreach (var caller in callers)
        {
            var before = -1L;
            for (var sequence = 0; sequence < caller.First.Count; sequence++)
            {
                if (caller.First[sequence] is not { } first)
                {
                    continue;
                }

                if (!_seen[caller.Name].Contains(sequence))
                {
                    Say($"batch {sequence} of {caller.Name}, acknowledged at {first}, is not there");
                }

                if (first <= before)
                {
                    Say($"batch {sequence} of {caller.Name} was acknowledged at {first}, not behind {before}");
                }

                before = first;
            }
        }

        return _violations;
    }

    private void Begin(RecordedEvent e)
    {
        _batch = [];
        _nextInBatch = 0;
        if (SoakBatch.SequenceOf(e) is not { } sequence || !_callers.TryGetValue(e.Stream, out var caller)
            || (sequence >= caller.First.Count && !caller.MayHaveMore))
        {
            Say($"nobody appended the event at {e.Position}");
            return;
        }

        if (!_seen[caller.Name].Add(sequence))
        {
            Say($"batch {sequence} of {caller.Name} is there again at {e.Position}");
        }

        if (sequence < caller.First.Count && caller.First[sequence] is { } first && first != e.Position)
        {
            Say($"batch {sequence} of {caller.Name} was acknowledged at {first} and lies at {e.Position}");
        }

        _batch = SoakBatch.Events(seed, caller.Name, sequence);
    }

    private void Say(FormattableString violation) => _violations.Add(violation.ToString(CultureInfo.InvariantCulture));

    private static bool IsSame(RecordedEvent found, EventData expected) =>
        found.Id == expected.Id
        && found.Stream == expected.Stream
        && found.Type == expected.Type
        && found.Data.Span.SequenceEqual(expected.Data.Span)
        && found.Metadata.Span.SequenceEqual(expected.Metadata.Span);
}
