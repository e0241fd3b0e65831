using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Server.Logs;

/// <summary>Puts together what the nodes say of a log's replicas. A node that does not answer is told, not skipped.</summary>
internal static class LogDescriber
{
    /// <param name="chain">The log's chain.</param>
    /// <param name="nodes">Who to ask.</param>
    /// <param name="lastRefusal">Why the last attempt to open a segment failed, if it did.</param>
    /// <param name="cancellation">Ends the asking.</param>
    public static async Task<LogDescription> Describe(Chain chain, NodesClient nodes, string? lastRefusal, CancellationToken cancellation)
    {
        var names = chain.Segments.Select(segment => segment.Primary).Distinct(StringComparer.Ordinal).ToList();
        var answers = await Task.WhenAll(names.Select(name => nodes.Replicas(name, chain.LogId, cancellation)));
        var byNode = names.Zip(answers).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
        var segments = chain.Segments.Select(segment => Describe(segment, byNode[segment.Primary])).ToList();
        return new LogDescription
        {
            Chain = chain,
            Segments = segments,
            Events = segments.Sum(segment => segment.Stats?.Events ?? 0),
            Bytes = segments.Sum(segment => segment.Stats?.UsedBytes ?? 0),
            WhyNotWritable = WhyNotWritable(chain, segments) ?? lastRefusal,
        };
    }

    private static SegmentDescription Describe(ChainSegment segment, NodeAnswer<IReadOnlyList<SegmentDescription>> answer)
    {
        if (answer.Unknown is { } reason)
        {
            return Without(segment, ReplicaState.Unknown, reason);
        }

        return answer.Value!.FirstOrDefault(replica => replica.SegmentId == segment.Id)
            ?? Without(segment, ReplicaState.Missing, $"node '{segment.Primary}' has no file of it");
    }

    private static SegmentDescription Without(ChainSegment segment, ReplicaState state, string problem) =>
        new() { SegmentId = segment.Id, Node = segment.Primary, State = state, Stats = null, Problem = problem };

    /// <summary>With one replica a log is written where its open segment lies, or nowhere; a fenced one only waits for its roll.</summary>
    private static string? WhyNotWritable(Chain chain, List<SegmentDescription> segments)
    {
        if (chain.WriteSegment is not { } open)
        {
            return null;
        }

        var replica = segments[^1];
        return replica.State is ReplicaState.Prepared or ReplicaState.Open or ReplicaState.Fenced or ReplicaState.Sealed && replica.Problem is null
            ? null
            : $"its open segment {open.Id:N} is {replica.State} on node '{open.Primary}': {replica.Problem}";
    }
}
