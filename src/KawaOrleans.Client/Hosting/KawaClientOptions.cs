namespace KawaOrleans;

/// <summary>How patient and how eager a client is. The defaults suit a cluster in one data centre.</summary>
public sealed class KawaClientOptions
{
    /// <summary>How long a node may be silent before it counts as dead; 1.8 s unless set, 100 ms to 30 s. Half-way the client asks the node
    /// for a sign of life; a node that gives one is waited for. A third of that is enough where others can answer or go on: for the directory of a log, and for appends to
    /// a log of several replicas. Shorter: errors come sooner, and a node that only pauses (a
    /// full disk queue, a long collection) more often leaves an append's outcome unknown.</summary>
    public TimeSpan NodeSilence { get; set; } = TimeSpan.FromSeconds(1.8);

    /// <summary>How long calls that had no effect and may succeed later, and appends whose answer was lost, are repeated; 1.2 s unless set, 0 to
    /// 5 minutes. No new attempt starts later than that after the call began, of an append after its log last answered this client or its first
    /// answer was lost. Appends to a log of several replicas are repeated for at least 10 s, within
    /// which its other nodes go on. Longer bridges restarts of a node; shorter tells the caller sooner.</summary>
    public TimeSpan RetryFor { get; set; } = TimeSpan.FromSeconds(1.2);

    /// <summary>How many blocks of <see cref="ReadBlockBytes"/> a read or query asks for ahead of its caller, all of them at the same time and,
    /// where the events lie so, of several nodes; 4 unless set, 1 to 64. A sequence holds that many blocks in memory and the one
    /// the caller looks at, however slow the caller is. More hide the delay of a distant cluster and let more filters run side by side;
    /// fewer save memory where many sequences are open.</summary>
    public int BlocksAhead { get; set; } = 4;

    /// <summary>About how many bytes one read brings; 1 MiB unless set, 4 KiB to 8 MiB. Larger blocks mean fewer calls and more memory; an event
    /// larger than that comes alone.</summary>
    public int ReadBlockBytes { get; set; } = 1024 * 1024;

    /// <summary>Calls the node that holds a segment by that node's own gateway instead of whichever gateway the cluster client picked; off unless
    /// set. Saves the way through a second silo, about a quarter of what small calls cost the silos of a cluster of three, for one more
    /// connection to each node in use; and a silo that stands still, or is cut off from the others, then holds up only the calls that are for it: set it
    /// for logs of several replicas. A node whose gateway cannot be reached from here is called the ordinary way. Without effect in a silo.</summary>
    public bool DirectToNodes { get; set; }
}
