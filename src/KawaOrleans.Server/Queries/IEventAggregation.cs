namespace KawaOrleans.Server;

/// <summary>A fold over events that runs beside the segments, in parallel, and is then merged. Register one with
/// <c>siloBuilder.AddKawaAggregation&lt;T&gt;()</c>; queries name it. One instance serves all queries: keep nothing in it.</summary>
public interface IEventAggregation
{
    /// <summary>What queries call it.</summary>
    string Name { get; }

    /// <summary>Begins the fold of one range: returns what is called for each of its events, in position order, on one thread at
    /// a time. Called once per range; ranges run side by side, each with values of its own.</summary>
    /// <exception cref="RequestRefusedException">The argument is none of this aggregation's; the message names those that are.</exception>
    EventFold Begin(string? argument, AggregationValues values);

    /// <summary>Joins what two ranges found under the same key: their sum unless overridden. Must not depend on the order.</summary>
    long Merge(long left, long right) => checked(left + right);
}

/// <summary>Takes one event into a fold. The frame is read in place: copy what is kept.</summary>
public delegate void EventFold(in EventFrame e);
