namespace KawaOrleans.Storage;

/// <summary>What became of a block.</summary>
/// <param name="First">The position of the first event written.</param>
/// <param name="Count">How many events were written, at consecutive positions; may be none.</param>
/// <param name="Timestamp">When, in UTC ticks.</param>
/// <param name="Outcomes">One for each batch; null when all were written.</param>
public readonly record struct AppendedBlock(long First, int Count, long Timestamp, IReadOnlyList<BatchOutcome>? Outcomes)
{
    /// <summary>Everything that these outcomes rest on lies below this position, also that of a repeat, a conflict or a refusal.</summary>
    public long End => First + Count;
}
