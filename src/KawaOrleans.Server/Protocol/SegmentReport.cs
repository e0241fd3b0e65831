namespace KawaOrleans.Server.Protocol;

/// <summary>Looks into a report that a segment takes no appends. A report is a hint: whoever made it may have lost its own way, or have been
/// answered late. The primary is asked, and the segment goes on unless that is silent or has a reason itself.</summary>
internal sealed class SegmentReport(INodes nodes)
{
    /// <summary>Why the open segment is to be ended, or null. A segment of one replica is ended as it is reported: nobody but that node could
    /// end it, so that its fence is the probe.</summary>
    public async Task<string?> WhyEnd(ChainSegment open, CancellationToken cancellation)
    {
        if (open.Ensemble.Count == 1)
        {
            return "it was reported";
        }

        // All are asked, though only the primary's answer counts: who is silent is known to be so before the steps that need the others.
        var answers = await Task.WhenAll(open.Ensemble.Select(node => nodes.Standing(node.Name, open.Id, open.Generation, cancellation)));
        return answers[0] is { IsKnown: true, Value: { } standing } ? standing.WhyEnd : answers[0].Unknown ?? "its primary answers nothing";
    }

    /// <summary>Whether fewer of its nodes live than a next segment would have: then it is worth ending although it goes on.</summary>
    public bool HasTooFewNodes(Chain chain, ChainSegment open)
    {
        var live = nodes.Live;
        return open.Ensemble.Count(node => live.Contains(node.Name)) < Math.Min(chain.Options.Replicas, live.Count);
    }
}
