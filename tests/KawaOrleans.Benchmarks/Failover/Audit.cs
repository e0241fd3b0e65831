using System.Diagnostics;
using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Measuring;

namespace KawaOrleans.Benchmarks.Failover;

/// <summary>Whether a log holds what was acknowledged: each event once, at the position that was told.</summary>
internal static class Audit
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>How many events were acknowledged, all of which are there. Each segment is read from whichever of its nodes shows it whole.</summary>
    public static long Whole(ThreeSilos cluster, ILog log, (long Began, long Told, long Position, Guid Id)[] appends)
    {
        var ids = new Dictionary<long, Guid>();
        var chain = Wait.For(() => cluster.Directory(log).GetChain());
        foreach (var segment in chain.Segments)
        {
            foreach (var (position, id) in Segment(cluster, segment))
            {
                ids.Add(position, id);
            }
        }

        // The one before the callers is the log's first.
        Expect.Count(appends.Length + 1, ids.Count);
        Expect.Count(ids.Count, ids.Values.Distinct().Count());
        Expect.Count(appends.Length, appends.Count(append => ids[append.Position] == append.Id));
        return appends.Length;
    }

    private static List<(long Position, Guid Id)> Segment(ThreeSilos cluster, ChainSegment segment)
    {
        for (var waited = Stopwatch.StartNew(); ;)
        {
            List<(long Position, Guid Id)> longest = [];
            foreach (var node in segment.Ensemble)
            {
                var events = Wait.For(() => Read(cluster.Grains.GetGrain<ISegmentGrain>(segment.Id, node.Name), segment));
                longest = events.Count > longest.Count ? events : longest;
            }

            if ((segment.End is not { } end || longest.Count == end - segment.Base) && longest.Count > 0)
            {
                return longest;
            }

            if (waited.Elapsed > Limit)
            {
                throw new TimeoutException($"No node shows segment {segment.Id:N} whole.");
            }

            Thread.Sleep(TimeSpan.FromMilliseconds(100));
        }
    }

    private static async Task<List<(long Position, Guid Id)>> Read(ISegmentGrain grain, ChainSegment segment)
    {
        var events = new List<(long, Guid)>();
        try
        {
            for (var next = segment.Base; ;)
            {
                var result = await grain.Read(new ReadRequest { From = next, To = segment.End ?? long.MaxValue });
                events.AddRange(result.Events.ToList(next, result.Next).Select(static e => (e.Position, e.Id)));
                if (result.Next == next)
                {
                    return events;
                }

                next = result.Next;
            }
        }
        catch (Exception e) when (e is KawaException or TimeoutException or Orleans.Runtime.OrleansException)
        {
            return events; // another one has it
        }
    }
}
