namespace KawaOrleans.Server.Protocol;

/// <summary>Which fenced replicas are brought to a segment's end before the chain says so.</summary>
/// <param name="Source">A node that holds everything below the end.</param>
/// <param name="Short">The nodes that answered and do not.</param>
/// <param name="Missing">How many of them must be completed.</param>
internal sealed record CompletionPlan(string Source, IReadOnlyList<string> Short, int Missing)
{
    /// <summary>What is to be done until A nodes, or all that answered if those are fewer, hold everything; null when they do.</summary>
    /// <param name="segment">The segment to be ended.</param>
    /// <param name="end">Its end: the longest of the tails.</param>
    /// <param name="answers">What its nodes answered to the fence, in their order.</param>
    public static CompletionPlan? For(ChainSegment segment, long end, IReadOnlyList<NodeAnswer<FencedTail>> answers)
    {
        var whole = new List<string>();
        var less = new List<string>();
        for (var i = 0; i < segment.Ensemble.Count; i++)
        {
            if (answers[i] is { IsKnown: true, Value: { } tail } && tail.Position >= segment.Base)
            {
                (tail.Position >= end ? whole : less).Add(segment.Ensemble[i].Name);
            }
        }

        var missing = Math.Min(segment.AckQuorum, whole.Count + less.Count) - whole.Count;
        return missing > 0 ? new CompletionPlan(whole[0], less, missing) : null;
    }
}
