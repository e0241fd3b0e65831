namespace KawaOrleans.Benchmarks.Cluster;

/// <summary>Reads a log's frames straight from its segment grains, some segments at a time, and verifies them in place.</summary>
internal static class BlockScan
{
    private const int SegmentsAtOnce = 4;
    private const int BlockBytes = 1 << 20;

    public static async Task<long> CountAsync(IClusterClient grains, ILog log)
    {
        var chain = (await log.DescribeAsync()).Chain;
        var count = 0L;
        await Parallel.ForEachAsync(
            chain.Segments,
            new ParallelOptions { MaxDegreeOfParallelism = SegmentsAtOnce },
            async (segment, cancellation) => Interlocked.Add(ref count, await CountAsync(grains, segment, cancellation)));
        return count;
    }

    private static async Task<long> CountAsync(IClusterClient grains, ChainSegment segment, CancellationToken cancellation)
    {
        var grain = grains.GetGrain<ISegmentGrain>(segment.Id, segment.Primary, null);
        var count = 0L;
        for (var from = segment.Base; ;)
        {
            var result = await grain.Read(new ReadRequest { From = from, MaxBytes = BlockBytes }, cancellation);
            foreach (var e in result.Events.Read())
            {
                count += e.Position >= 0 ? 1 : 0;
            }

            if (result.Next == from || result.AtEndOfSegment)
            {
                return count;
            }

            from = result.Next;
        }
    }
}
