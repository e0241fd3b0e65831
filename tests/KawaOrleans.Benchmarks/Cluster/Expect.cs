namespace KawaOrleans.Benchmarks.Cluster;

/// <summary>A measurement whose work was not done is worth nothing: it ends the run.</summary>
internal static class Expect
{
    public static void Count(long expected, long found)
    {
        if (found != expected)
        {
            throw new InvalidOperationException($"{expected} events were expected and {found} came.");
        }
    }

    public static void Event(RecordedEvent? found)
    {
        if (found is null || found.Data.Length != SampleEvents.DataBytes)
        {
            throw new InvalidOperationException("The event at a written position did not come.");
        }
    }
}
