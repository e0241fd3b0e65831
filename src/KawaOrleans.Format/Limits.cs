namespace KawaOrleans;

/// <summary>The limits every part of the store agrees on. Each refusal names the one it rests on.</summary>
public static class Limits
{
    /// <summary>The largest event as stored (header, names, data, metadata, padding): 8 MiB. A log with small segments
    /// takes less: half its configured segment size.</summary>
    public const int MaxEventBytes = 8 * 1024 * 1024;

    /// <summary>The largest batch as stored: 8 MiB. Larger messages would disturb every other call on the same connection.</summary>
    public const int MaxBatchBytes = 8 * 1024 * 1024;

    /// <summary>The longest stream or type name, in UTF-8 bytes: 512.</summary>
    public const int MaxNameBytes = 512;

    /// <summary>The most single events that one call reads: 1,024.</summary>
    public const int MaxPositionsPerRead = 1024;

    /// <summary>The most streams one batch may expect something of: 1,024.</summary>
    public const int MaxStreamsExpected = 1024;

    /// <summary>The longest log or node name, in characters: 128.</summary>
    public const int MaxKeyLength = 128;

    /// <summary>The smallest configurable segment size: 64 KiB.</summary>
    public const long MinSegmentBytes = 64 * 1024;

    /// <summary>The largest configurable segment size: 8 GiB.</summary>
    public const long MaxSegmentBytes = 8L * 1024 * 1024 * 1024;

    /// <summary>The largest event a log with this configured segment size takes.</summary>
    public static int MaxEventBytesFor(long segmentBytes) => (int)Math.Min(MaxEventBytes, segmentBytes / 2);
}
