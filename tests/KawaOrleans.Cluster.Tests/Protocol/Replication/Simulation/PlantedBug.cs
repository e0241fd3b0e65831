namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>Mistakes that protocols of this kind were known for, made on purpose by the simulated shell around the rules. The product knows
/// nothing of them.</summary>
public enum PlantedBug
{
    None,

    /// <summary>A segment is written, and acknowledges, before the chain that lists it is known to be stored.</summary>
    WritesBeforeTheChain,

    /// <summary>A file that is damaged, cannot be read or is not there is reported as one without entries, and the segment is cut there.</summary>
    DamageIsNoSuchEntry,

    /// <summary>A wiped disk passes for the one before it: its node keeps the old identity, and takes what was meant for that.</summary>
    WipedPassesForNew,

    /// <summary>An old copy of a data directory votes like the original.</summary>
    CopyVotes,

    /// <summary>What completion brought to a fenced replica counts for its old writer.</summary>
    CompletionCounts,

    /// <summary>The end is chosen from tails that were asked for without fencing; the fence comes by a message of its own.</summary>
    TailsWithoutFence,

    /// <summary>A node is swapped into an ensemble first and copies the segment then.</summary>
    ListedBeforeItsCopy,

    /// <summary>Not ours, the operator's, and a known limit: a copy of a running directory, taken since its last start, is started beside it. It gets the
    /// name, and the original goes on with what it has open until it looks at its record.</summary>
    CopyRunsBeside,
}
