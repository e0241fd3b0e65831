namespace KawaOrleans;

/// <summary>How patient and how eager a client is. The defaults suit a cluster in one data centre.</summary>
public sealed class KawaClientOptions
{
    /// <summary>How long a node may be silent before it counts as dead; 1.8 s unless set, 100 ms to 30 s. Half-way the client asks the node
    /// for a sign of life; a node that gives one is waited for. Shorter: errors come sooner, and a node that only pauses (a
    /// full disk queue, a long collection) more often leaves an append's outcome unknown.</summary>
    public TimeSpan NodeSilence { get; set; } = TimeSpan.FromSeconds(1.8);

    /// <summary>How long calls that had no effect and may succeed later, and appends whose answer was lost, are repeated; 1.2 s unless set, 0 to
    /// 5 minutes. No new attempt starts later than that after the call began, of an append after its first answer was lost. Longer bridges restarts of a node; shorter tells the caller sooner.</summary>
    public TimeSpan RetryFor { get; set; } = TimeSpan.FromSeconds(1.2);

    /// <summary>How many slices of a range query are read at the same time, the one being given out included; 4 unless set, 1 to 64.
    /// A slice is one segment's part of the range. Each holds up to three blocks of <see cref="ReadBlockBytes"/> in memory.</summary>
    public int SlicesAhead { get; set; } = 4;

    /// <summary>About how many bytes one read brings; 1 MiB unless set, 4 KiB to 8 MiB. Larger blocks mean fewer calls and more memory; an event
    /// larger than that comes alone.</summary>
    public int ReadBlockBytes { get; set; } = 1024 * 1024;
}
