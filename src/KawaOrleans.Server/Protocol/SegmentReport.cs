namespace KawaOrleans.Server.Protocol;

/// <summary>Looks into a report that a segment takes no appends. A report is a hint: whoever made it may have lost its own way, or have been
/// answered late. The primary is asked, and the segment goes on unless that is silent or has a reason itself.</summary>
internal sealed class SegmentReport(INodes nodes)
{
    /// <summary>How the open segment stands. A segment of one replica is ended as it is reported: nobody but that node could
    /// end it, so that its fence is the probe.</summary>
    public async Task<WriterStanding> Ask(ChainSegment open, CancellationToken cancellation)
    {
        if (open.Ensemble.Count == 1)
        {
            return new WriterStanding("it was reported");
        }

        // All are asked, though only the primary's answer counts: who is silent is known to be so before the steps that need the others.
        var answers = open.Ensemble.Select(node => nodes.Standing(node.Name, open.Id, open.Generation, cancellation)).ToList();
        var primary = await answers[0];
        if (primary is { IsKnown: true, Value: { } standing })
        {
            return standing;
        }

        await Task.WhenAll(answers);
        return new WriterStanding(primary.Unknown ?? "its primary answers nothing");
    }

    /// <summary>Whether fewer of its nodes live than a next segment would have: then it is worth ending although it goes on.</summary>
    public bool HasTooFewNodes(Chain chain, ChainSegment open)
    {
        var live = nodes.Live;
        return open.Ensemble.Count(node => live.Contains(node.Name)) < Math.Min(chain.Options.Replicas, live.Count);
    }
}
