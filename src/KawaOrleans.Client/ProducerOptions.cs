namespace KawaOrleans;

/// <summary>How a producer gathers and how much it holds.</summary>
public sealed record ProducerOptions
{
    /// <summary>How long a batch waits for others to fill its block; not at all unless set, at most 1 minute. Batches given while
    /// <see cref="MaxBlocksInFlight"/> blocks are on their way travel together in any case. Longer: fewer, larger blocks from a
    /// trickle of events, each that much later.</summary>
    public TimeSpan Linger { get; init; }

    /// <summary>About how large a block of several batches grows, in bytes as stored; 1 MiB unless set, 1 to 8 MiB (<see cref="Limits.MaxBatchBytes"/>), and at
    /// most half a segment of the log. A larger batch travels alone. Larger: fewer calls and syncs; smaller: outcomes come sooner.</summary>
    public int MaxBlockBytes { get; init; } = 1024 * 1024;

    /// <summary>How many blocks are on their way at once; 2 unless set, 1 to 64: one is written while the next is on its way, and whatever comes
    /// meanwhile travels together. More hides a longer way and makes smaller blocks; one waits for each answer.</summary>
    public int MaxBlocksInFlight { get; init; } = 2;

    /// <summary>How many bytes, as stored, the producer holds that have no outcome yet; 16 MiB unless set, at least 1. A batch larger than
    /// that is taken when nothing else is held.</summary>
    public long MaxPendingBytes { get; init; } = 16L * 1024 * 1024;

    /// <summary>Why no producer can work so, or null when one can.</summary>
    public string? WhyNot() => this switch
    {
        _ when Linger < TimeSpan.Zero || Linger > TimeSpan.FromMinutes(1) => $"{nameof(Linger)} is 0 to 1 minute; {Linger} is not",
        { MaxBlockBytes: < 1 or > Limits.MaxBatchBytes } => $"{nameof(MaxBlockBytes)} is 1 to {Limits.MaxBatchBytes}; {MaxBlockBytes} is not",
        { MaxBlocksInFlight: < 1 or > 64 } => $"{nameof(MaxBlocksInFlight)} is 1 to 64; {MaxBlocksInFlight} is not",
        { MaxPendingBytes: < 1 } => $"{nameof(MaxPendingBytes)} is at least 1; {MaxPendingBytes} is not",
        _ => null,
    };
}
