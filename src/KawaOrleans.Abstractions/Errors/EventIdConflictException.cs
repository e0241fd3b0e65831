namespace KawaOrleans;

/// <summary>The batch was refused because of an event id; nothing of it was written. An id names one event of a log: take a new one for
/// another event, or repeat the whole batch unchanged.</summary>
[GenerateSerializer, Alias("kawa.error.event-id-conflict")]
public sealed class EventIdConflictException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public EventIdConflictException(string log, IdConflict conflict)
        : base(Describe(log, conflict))
    {
        Log = log;
        Conflict = conflict;
    }

    /// <summary>The log.</summary>
    [Id(0)]
    public string Log { get; }

    /// <summary>Which id, and how it is in the way.</summary>
    [Id(1)]
    public IdConflict Conflict { get; }

    private static string Describe(string log, IdConflict conflict)
    {
        ArgumentNullException.ThrowIfNull(conflict);
        return conflict.Kind switch
        {
            IdConflictKind.OtherContent =>
                $"Event {conflict.EventId} is in log '{log}' at position {conflict.Position} with other content. Another event needs another id.",
            IdConflictKind.TwiceInBatch => $"Two events of the batch for log '{log}' have the id {conflict.EventId}. Each event needs its own.",
            _ => $"Event {conflict.EventId} is in log '{log}' at position {conflict.Position}, but not all of its batch in this order."
                + " Repeat a batch whole and unchanged, or give its events new ids.",
        };
    }
}
