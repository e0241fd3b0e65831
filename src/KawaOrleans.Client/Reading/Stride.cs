namespace KawaOrleans.Client;

/// <summary>How many positions one request should ask for, so that its answer is about one block: learned from the answers.</summary>
/// <remarks>Positions are dense, so a range of a log can be cut anywhere before anything is known of its events; a cut that turns out too
/// long only means that its rest is asked for by itself.</remarks>
internal sealed class Stride(EventFilter? filter, int blockBytes)
{
    // With a filter the answer is small and the work is looking: half of what a segment looks at before it answers with what it has.
    private const long FilteredBytes = 16 * 1024 * 1024;

    /// <summary>0 until the first answer came.</summary>
    public long Positions { get; private set; }

    public void Learn(ReadRequest request, ReadResult result)
    {
        var covered = result.Next - request.From;
        if (covered <= 0)
        {
            return;
        }

        // Some room is left for events a little larger than the last ones.
        var bytes = Math.Max(1, result.ExaminedBytes);
        var positions = Math.Max(1, (long)(0.9 * Target(result) / bytes * covered));
        var wasCut = result.Next < Math.Min(request.To, result.Committed);
        Positions = wasCut ? Math.Min(positions, covered) : positions;
    }

    private double Target(ReadResult result)
    {
        if (filter is null)
        {
            return blockBytes;
        }

        var found = Math.Max(1, result.Events.Bytes.Bytes.Length);
        return Math.Min(FilteredBytes, (double)blockBytes * Math.Max(1, result.ExaminedBytes) / found);
    }
}
