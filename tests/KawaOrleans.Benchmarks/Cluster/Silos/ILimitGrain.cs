namespace KawaOrleans.Benchmarks.Cluster.Silos;

/// <summary>What the framework can do at best: calls that do nothing, and blocks that nobody looks at.</summary>
[Alias("kawa.benchmarks.limit")]
public interface ILimitGrain : IGrainWithIntegerKey
{
    /// <summary>Does nothing.</summary>
    [Alias("Ping")]
    ValueTask Ping();

    /// <summary>Takes a block.</summary>
    [Alias("PutBlock")]
    ValueTask PutBlock(Block block);

    /// <summary>Answers with a block of this size.</summary>
    [Alias("GetBlock")]
    ValueTask<Block> GetBlock(int bytes);
}
