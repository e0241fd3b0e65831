using Orleans.Concurrency;

namespace KawaOrleans.Benchmarks.Cluster.Silos;

[Reentrant, GrainType("kawa.benchmarks.limit")]
internal sealed class LimitGrain : Grain, ILimitGrain
{
    private static readonly byte[] Bytes = new byte[Limits.MaxBatchBytes];

    public ValueTask Ping() => ValueTask.CompletedTask;

    public ValueTask PutBlock(Block block) => ValueTask.CompletedTask;

    public ValueTask<Block> GetBlock(int bytes) => new(new Block(Bytes.AsMemory(0, bytes)));
}
