namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>Mistakes that protocols of this kind were known for, made on purpose by the simulated shell around the rules.</summary>
public enum PlantedBug
{
    None,

    /// <summary>A segment is written before the chain that lists it is known to be stored.</summary>
    WritesBeforeTheChain,

    /// <summary>A file that cannot be read or is not there is taken for an empty one when the end is chosen.</summary>
    NothingReadIsEmpty,

    /// <summary>What completion brought to a fenced replica counts for its old writer.</summary>
    CompletionCounts,

    /// <summary>The end is chosen from tails that were asked for without fencing; the fence comes by a message of its own.</summary>
    TailsWithoutFence,
}
