namespace KawaOrleans;

/// <summary>The stream has ended for ever: it cannot be read any more, and takes no events. Nothing was written.</summary>
[GenerateSerializer, Alias("kawa.error.stream-tombstoned")]
public sealed class StreamTombstonedException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public StreamTombstonedException(string log, StreamTombstoned tombstone)
        : base($"Stream '{tombstone?.Stream}' of log '{log}' ended for ever at revision {tombstone?.Revision}. Use another stream.")
    {
        ArgumentNullException.ThrowIfNull(tombstone);
        (Log, Tombstone) = (log, tombstone);
    }

    /// <summary>The log.</summary>
    [Id(0)]
    public string Log { get; }

    /// <summary>Which stream, and where it ended.</summary>
    [Id(1)]
    public StreamTombstoned Tombstone { get; }
}
