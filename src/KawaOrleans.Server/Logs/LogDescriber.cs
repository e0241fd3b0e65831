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
        var names = chain.Segments.SelectMany(segment => segment.Ensemble).Select(node => node.Name).Distinct(StringComparer.Ordinal).ToList();
        var answers = await Task.WhenAll(names.Select(name => nodes.Replicas(name, chain.LogId, cancellation)));
        var byNode = names.Zip(answers).ToDictionary(
            pair => pair.First,
            pair => new NodeAnswer<ILookup<Guid, SegmentDescription>>(pair.Second.Value?.ToLookup(replica => replica.SegmentId), pair.Second.Unknown),
            StringComparer.Ordinal);
        return Describe(chain, (segment, node) => Replica(segment, node, byNode[node]), lastRefusal);
    }

    /// <param name="chain">The log's chain.</param>
    /// <param name="replicaOf">A segment's replica on a node.</param>
    /// <param name="lastRefusal">Why the last attempt to open a segment failed, if it did.</param>
    public static LogDescription Describe(Chain chain, Func<ChainSegment, string, SegmentDescription> replicaOf, string? lastRefusal)
    {
        List<SegmentDescription> segments = [], replicas = [];
        var problems = new List<string>();
        var (events, bytes) = (0L, 0L);
        foreach (var segment in chain.Segments)
        {
            var here = segment.Ensemble.Select(node => replicaOf(segment, node.Name)).ToList();
            var shown = here.Find(IsWell) ?? here[0];
            segments.Add(shown);
            replicas.AddRange(here);
            problems.AddRange(Problems(chain, segment, here));
            if (shown.Stats is { } stats)
            {
                events += Math.Min(stats.Events, (segment.End ?? stats.Committed) - segment.Base);
                bytes += stats.UsedBytes;
            }
        }

        return new LogDescription
        {
            Chain = chain,
            Segments = segments,
            Events = events,
            Bytes = bytes,
            WhyNotWritable = WhyNotWritable(chain, replicas) ?? lastRefusal,
            Replicas = replicas,
            Problems = problems,
        };
    }

    private static SegmentDescription Replica(ChainSegment segment, string node, NodeAnswer<ILookup<Guid, SegmentDescription>> answer)
    {
        if (answer is not { Value: { } all, Unknown: null })
        {
            return Without(segment, node, ReplicaState.Unknown, answer.Unknown ?? "it answers nothing");
        }

        return all[segment.Id].FirstOrDefault() is not { } replica ? Without(segment, node, ReplicaState.Missing, $"node '{node}' has no file of it")
            : replica is { Problem: null, Stats: { } stats } && stats.Base + stats.Events < segment.End
                ? replica with { Problem = $"it is short: it has the segment up to position {stats.Base + stats.Events} of {segment.End}" }
                : replica;
    }

    private static SegmentDescription Without(ChainSegment segment, string node, ReplicaState state, string problem) =>
        new() { SegmentId = segment.Id, Node = node, State = state, Stats = null, Problem = problem };

    private static bool IsWell(SegmentDescription replica) =>
        replica is { Problem: null, State: ReplicaState.Prepared or ReplicaState.Open or ReplicaState.Fenced or ReplicaState.Sealed };

    private static IEnumerable<string> Problems(Chain chain, ChainSegment segment, List<SegmentDescription> replicas)
    {
        var name = $"segment {segment.Id:N} (positions {segment.Base} to {segment.End?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "now"})";
        if (segment.Ensemble.Count < chain.Options.Replicas)
        {
            yield return $"{name} is under-replicated: on {segment.Ensemble.Count} nodes, not {chain.Options.Replicas}";
        }

        foreach (var replica in replicas.Where(replica => !IsWell(replica)))
        {
            yield return replica.State == ReplicaState.Unknown
                ? $"{name} waits for node '{replica.Node}': {replica.Problem}"
                : $"{name} is {replica.State} on node '{replica.Node}': {replica.Problem}";
        }
    }

    /// <summary>A log is written where its open segment's primary lies, if enough others hold what it writes. Else the segment is ended by whoever appends
    /// next, if enough of its nodes answer; a fenced one only waits for that.</summary>
    private static string? WhyNotWritable(Chain chain, List<SegmentDescription> replicas)
    {
        if (chain.WriteSegment is not { } open)
        {
            return null;
        }

        var here = replicas.TakeLast(open.Ensemble.Count).ToList();
        var well = here.Count(IsWell);
        var ends = FenceDecision.Quorum(open);
        if ((IsWell(here[0]) && well >= open.AckQuorum) || (here.Count > 1 && well >= ends))
        {
            return null;
        }

        var lacking = string.Join("; ", here.Where(replica => !IsWell(replica)).Select(replica => $"{replica.State} on node '{replica.Node}': {replica.Problem}"));
        return here.Count == 1
            ? $"its open segment {open.Id:N} is {lacking}"
            : $"{ends} of the {here.Count} nodes of its open segment {open.Id:N} must answer to end it, and {well} do. It is {lacking}";
    }
}
