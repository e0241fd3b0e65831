namespace KawaOrleans.Server.Protocol;

/// <summary>What the answers of a fenced segment's ensemble prove.</summary>
internal abstract record FenceDecision
{
    /// <summary>Enough answers: the segment ends here. The longest tail holds every acknowledged event.</summary>
    public sealed record Ended(long End, long LastTimestamp) : FenceDecision
    {
        /// <summary>The ensemble, those first that hold everything below the end: they can go on writing without asking others.</summary>
        public IReadOnlyList<ChainNode> WholeFirst { get; init; } = [];
    }

    /// <summary>Too few answers to know what was acknowledged.</summary>
    public sealed record TooFew(string Why) : FenceDecision;

    /// <summary>Two writers took the same segment: a broken world, for a human to look at.</summary>
    public sealed record TwoWriters(string Why) : FenceDecision;

    /// <summary>A node was told of a newer chain than the one this change started from.</summary>
    public sealed record NewerChain(string Node, long Version) : FenceDecision;

    /// <summary>How many answers meet every ack quorum (F): of N' nodes, all but A - 1.</summary>
    public static int Quorum(ChainSegment segment) => segment.Ensemble.Count - segment.AckQuorum + 1;

    /// <summary>Whether the primary's answer is enough to know the end, and enough nodes hold everything below it: it writes nothing more, all that it wrote is
    /// acknowledged, and nobody holds what it did not write.</summary>
    public static bool EndsAlone(ChainSegment segment, NodeAnswer<FencedTail> primary) =>
        primary is { IsKnown: true, Value: { IsAcknowledged: true, Position: var position } } && position >= segment.Base;

    /// <summary>Decides from one answer per node of the ensemble, in its order.</summary>
    /// <param name="segment">The open segment.</param>
    /// <param name="chainVersion">The version of the chain that lists it.</param>
    /// <param name="answers">What its nodes answered.</param>
    public static FenceDecision From(ChainSegment segment, long chainVersion, IReadOnlyList<NodeAnswer<FencedTail>> answers)
    {
        var tails = new List<(string Node, FencedTail Tail)>();
        var unknown = new List<string>();
        for (var i = 0; i < segment.Ensemble.Count; i++)
        {
            var node = segment.Ensemble[i].Name;
            switch (answers[i])
            {
                case { Unknown: { } reason }:
                    unknown.Add($"node '{node}' does not answer for it ({reason})");
                    break;
                case { Value: { } tail } when tail.Position >= segment.Base:
                    tails.Add((node, tail));
                    break;
                default:
                    unknown.Add($"node '{node}' answers a tail below the segment's base {segment.Base}");
                    break;
            }
        }

        var openings = tails.Where(answer => answer.Tail.OpeningId is not null).DistinctBy(answer => answer.Tail.OpeningId).ToList();
        if (openings.Count > 1)
        {
            return new TwoWriters("it was opened by two writers: "
                + string.Join(", ", openings.Select(answer => $"{answer.Tail.OpeningId:N} on node '{answer.Node}'")));
        }

        if (tails.Count > 0 && tails.MaxBy(answer => answer.Tail.SavedChainVersion) is var newest
            && newest.Tail.SavedChainVersion > chainVersion)
        {
            return new NewerChain(newest.Node, newest.Tail.SavedChainVersion);
        }

        if (EndsAlone(segment, answers[0]))
        {
            return new Ended(answers[0].Value!.Position, answers[0].Value!.LastTimestamp) { WholeFirst = segment.Ensemble };
        }

        return tails.Count >= Quorum(segment)
            ? new Ended(tails.Max(answer => answer.Tail.Position), tails.Max(answer => answer.Tail.LastTimestamp))
            : new TooFew($"segment {segment.Id:N} cannot be ended: {string.Join("; ", unknown)}");
    }
}
