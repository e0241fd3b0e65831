namespace KawaOrleans.Storage.Streams;

/// <summary>Which sources of heads to merge next, so that few are left however many segments a log has.</summary>
/// <remarks>Each run stays at least twice as large as the next newer one. So there are at most log2 of the streams of them, a head is
/// written again at most so often, and where every segment has the same streams one run is all there is.</remarks>
internal static class RunMergePlan
{
    /// <summary>How many segments are merged at once.</summary>
    public const int MostSegments = 32;

    /// <summary>The sources to merge, or none.</summary>
    /// <param name="segments">The streams of each segment that no run covers, the newest first.</param>
    /// <param name="runs">The streams of each run, the newest first; they lie before the segments.</param>
    /// <returns>How many of the oldest segments, and how many of the newest runs.</returns>
    public static (int Segments, int Runs) Next(IReadOnlyList<long> segments, IReadOnlyList<long> runs)
    {
        var taken = Math.Min(segments.Count, MostSegments);
        if (taken == 0)
        {
            return (0, 0);
        }

        var streams = segments.TakeLast(taken).Sum();
        var merged = 0;
        while (merged < runs.Count && runs[merged] < 2 * streams)
        {
            streams += runs[merged++];
        }

        return (taken, merged);
    }
}
