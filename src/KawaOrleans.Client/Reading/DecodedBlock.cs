namespace KawaOrleans.Client;

/// <summary>The events of one answer, up to the first that does not verify.</summary>
/// <param name="Events">In position order.</param>
/// <param name="Next">Where to go on.</param>
/// <param name="Damage">To be thrown behind <paramref name="Events"/>; null when all verified.</param>
internal sealed record DecodedBlock(List<RecordedEvent> Events, long Next, CorruptBlockException? Damage)
{
    /// <summary>Verifies and decodes what an answer holds of [from, to).</summary>
    public static DecodedBlock Of(ReadResult result, long from, long to)
    {
        var events = new List<RecordedEvent>();
        try
        {
            foreach (var e in result.Events.Read(from, to))
            {
                events.Add(e.ToRecordedEvent());
            }
        }
        catch (CorruptBlockException damage)
        {
            return new DecodedBlock(events, result.Next, damage);
        }

        return new DecodedBlock(events, result.Next, null);
    }
}
