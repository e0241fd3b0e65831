namespace KawaOrleans.Server.Protocol;

/// <summary>How large the next segment file of a log is: small for a log that may stay small, doubling up to the configured size.</summary>
internal static class SegmentSizing
{
    /// <summary>A log's first segment, unless it is configured smaller.</summary>
    public const long FirstBytes = 4L * 1024 * 1024;

    private const long HeaderPageBytes = 8192;
    private const long SlackBytes = 1024;
    private const long PageBytes = 4096;

    /// <summary>The size of the file to make: a multiple of 4 KiB that holds the batch at hand.</summary>
    public static long Next(Chain chain, int batchBytes)
    {
        var configured = chain.Options.SegmentBytes;
        var grown = chain.Segments.Count == 0 ? FirstBytes : chain.Segments[^1].FileBytes * 2;
        var needed = HeaderPageBytes + batchBytes + SlackBytes;
        var bytes = Math.Max(Math.Max(Math.Min(grown, configured), needed), Limits.MinSegmentBytes);
        return (bytes + PageBytes - 1) / PageBytes * PageBytes;
    }
}
