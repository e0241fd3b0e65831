using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;

namespace KawaOrleans.Server.Healing;

/// <summary>Copies a segment that has ended from other nodes, beside the replicas of this one.</summary>
/// <param name="node">This node.</param>
/// <param name="spend">Returns when so many bytes more are allowed.</param>
/// <param name="healed">Is told how many were taken.</param>
internal sealed class ReplicaFetch(IMendingNode node, Func<long, CancellationToken, Task> spend, Action<int> healed)
{
    /// <summary>Makes the copy whole and seals it at the chain's end, synced; what was copied before is not asked for again. Null with the reason when
    /// no source has the rest now.</summary>
    public async Task<(ReplicaCopy? Copy, string? WhyNot)> Fetch(
        Chain chain, ChainSegment segment, IReadOnlyList<ChainNode> ensemble, IReadOnlyList<string> sources, CancellationToken cancellation)
    {
        var copy = await node.Run(files => files.BeginCopy(Claim(chain, segment, ensemble).ToHeader()));
        try
        {
            var end = segment.End!.Value;
            var reasons = new List<string>();
            foreach (var source in sources)
            {
                if (copy.Tail.Position < end && await Take(copy, source, segment, end, cancellation) is { } reason)
                {
                    reasons.Add(reason);
                }
            }

            if (copy.Tail.Position >= end)
            {
                await node.Run(_ =>
                {
                    copy.Seal(end);
                    return true;
                });
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
    private async Task<string?> Take(ReplicaCopy copy, string source, ChainSegment segment, long end, CancellationToken cancellation)
    {
        var asked = node.ReadGroups(source, segment, copy.Tail.Offset, cancellation);
        try
        {
            while (copy.Tail is var tail && tail.Position < end)
            {
                var groups = await asked;
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

                    await spend(block.Length, cancellation);

                    // The next ones are on their way while these are written.
                    asked = node.ReadGroups(source, segment, tail.Offset + block.Length, cancellation);
                    try
                    {
                        await node.Run(_ => copy.Take(tail, block.Bytes));
                    }
                    catch (BatchRefusedException e)
                    {
                        return $"what node '{source}' sent does not verify: {e.Message}";
                    }

                    healed(block.Length);
                }
            }

            return null;
        }
        finally
        {
            _ = Release(asked);
        }
    }

    /// <summary>Nobody takes this answer any more.</summary>
    private static async Task Release(Task<NodeAnswer<Block>> asked)
    {
        await ((Task)asked).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (asked.IsCompletedSuccessfully)
        {
            (await asked).Value?.Dispose();
        }
    }

    private static NewSegment Claim(Chain chain, ChainSegment segment, IReadOnlyList<ChainNode> ensemble) => new()
    {
        LogId = chain.LogId, LogName = chain.LogName, Segment = segment with { Ensemble = ensemble }, ChainVersion = chain.Version, TimestampFloor = 0,
        Predecessor = chain.Segments.TakeWhile(before => before.Id != segment.Id).LastOrDefault()?.Id,
    };
}
