namespace KawaOrleans.Tests.History;

/// <summary>One event of the log as it is in the end.</summary>
public readonly record struct FinalEvent(long Position, long Revision, string Stream, Guid Id)
{
    /// <summary>The event as read.</summary>
    public static FinalEvent Of(RecordedEvent e)
    {
        ArgumentNullException.ThrowIfNull(e);
        return new FinalEvent(e.Position, e.Revision, e.Stream, e.Id);
    }
}
