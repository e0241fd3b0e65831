using System.Globalization;

namespace KawaOrleans.Faults.Tests.Importing;

/// <summary>Holds what a log contains against what was tried.</summary>
internal static class LogAudit
{
    /// <summary>Every way in which the log breaks its promises; none if it keeps them. The promises: positions are dense from 0;
    /// an acknowledged batch is where its answer said, once, whole and unchanged; a batch of unknown outcome is there whole, in
    /// its turn, or not at all; nothing else is there.</summary>
    public static IReadOnlyList<string> Violations(IReadOnlyList<RecordedEvent> log, IReadOnlyList<Attempt> attempts)
    {
        var violations = new List<string>();
        for (var i = 0; i < log.Count; i++)
        {
            if (log[i].Position != i)
            {
                violations.Add(string.Create(CultureInfo.InvariantCulture, $"event {i} of the log has position {log[i].Position}"));
                return violations;
            }
        }

        var next = 0;
        for (var i = 0; i < attempts.Count; i++)
        {
            var (events, first) = attempts[i];
            if (IsAt(log, next, events))
            {
                if (first is { } position && position != next)
                {
                    violations.Add(string.Create(CultureInfo.InvariantCulture, $"batch {i} was acknowledged at {position} and lies at {next}"));
                }

                next += events.Count;
            }
            else if (first is { } lost)
            {
                violations.Add(string.Create(CultureInfo.InvariantCulture, $"batch {i}, acknowledged at {lost}, is not at {next}; {WhatIsAt(log, next, attempts)}"));
                return violations;
            }
        }

        if (next != log.Count)
        {
            violations.Add(string.Create(CultureInfo.InvariantCulture, $"from position {next} on lie {log.Count - next} events that nobody appended there"));
        }

        return violations;
    }

    private static string WhatIsAt(IReadOnlyList<RecordedEvent> log, int position, IReadOnlyList<Attempt> attempts)
    {
        if (position >= log.Count)
        {
            return "the log ends there";
        }

        for (var i = 0; i < attempts.Count; i++)
        {
            for (var n = 0; n < attempts[i].Events.Count; n++)
            {
                if (attempts[i].Events[n].Id == log[position].Id)
                {
                    return string.Create(CultureInfo.InvariantCulture, $"there lies event {n} of batch {i}, {(attempts[i].First is { } first ? $"acknowledged at {first}" : "of unknown outcome")}");
                }
            }
        }

        return "there lies an event that was never tried";
    }

    private static bool IsAt(IReadOnlyList<RecordedEvent> log, int position, IReadOnlyList<EventData> events)
    {
        if (position + events.Count > log.Count)
        {
            return false;
        }

        for (var i = 0; i < events.Count; i++)
        {
            var (found, expected) = (log[position + i], events[i]);
            if (found.Id != expected.Id
                || found.Stream != expected.Stream
                || found.Type != expected.Type
                || !found.Data.Span.SequenceEqual(expected.Data.Span)
                || !found.Metadata.Span.SequenceEqual(expected.Metadata.Span))
            {
                return false;
            }
        }

        return true;
    }
}
