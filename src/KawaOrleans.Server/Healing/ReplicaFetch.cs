using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;

namespace KawaOrleans.Server.Healing;

/// <summary>Copies a segment that has ended from other nodes, beside the replicas of this one.</summary>
internal sealed class ReplicaFetch(NodeHost host, NodesClient nodes, KawaMetrics metrics)
{
    /// <summary>Makes the copy whole and seals it at the chain's end, synced; what was copied before is not asked for again. Null with the reason when
    /// no source has the rest now.</summary>
    public async Task<(ReplicaCopy? Copy, string? WhyNot)> Fetch(
        Chain chain, ChainSegment segment, IReadOnlyList<ChainNode> ensemble, IReadOnlyList<string> sources, Pace pace, CancellationToken cancellation)
    {
        var copy = await host.Run(store => store.BeginCopy(Claim(chain, segment, ensemble).ToHeader()));
        try
        {
            var end = segment.End!.Value;
            var reasons = new List<string>();
            foreach (var source in sources)
            {
                if (copy.Tail.Position < end && await Take(copy, source, segment, end, pace, cancellation) is { } reason)
                {
                    reasons.Add(reason);
                }
            }

            if (copy.Tail.Position >= end)
            {
                await Task.Run(() => copy.Seal(end), CancellationToken.None);
                return (copy, null);
            }

            copy.Dispose();
            return (null, reasons.Count > 0 ? string.Join("; ", reasons) : "no node that holds it is alive");
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    /// <summary>Takes from one node until the copy is whole; why not, or null.</summary>
    private async Task<string?> Take(ReplicaCopy copy, string source, ChainSegment segment, long end, Pace pace, CancellationToken cancellation)
    {
        while (copy.Tail is var tail && tail.Position < end)
        {
            var groups = await nodes.ReadGroups(source, segment.Id, segment.Generation, tail.Offset, cancellation);
            if (groups is not { IsKnown: true, Value: { } block })
            {
                return groups.Unknown;
            }

            using (block)
            {
                if (block.Length == 0)
                {
                    return $"node '{source}' holds it only up to {tail.Position}";
                }

                try
                {
                    await Task.Run(() => copy.Take(tail, block.Bytes), CancellationToken.None);
                }
                catch (BatchRefusedException e)
                {
                    return $"what node '{source}' sent does not verify: {e.Message}";
                }

                metrics.Healed(block.Length);
            }

            await pace.Spend(block.Length, cancellation);
        }

        return null;
    }

    private static NewSegment Claim(Chain chain, ChainSegment segment, IReadOnlyList<ChainNode> ensemble) => new()
    {
        LogId = chain.LogId, LogName = chain.LogName, Segment = segment with { Ensemble = ensemble }, ChainVersion = chain.Version, TimestampFloor = 0,
        Predecessor = chain.Segments.TakeWhile(before => before.Id != segment.Id).LastOrDefault()?.Id,
    };
}
