using KawaOrleans.Server.Protocol;
using static KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation.SimulatedNodes;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>The primaries' messages to their followers.</summary>
internal sealed class Feeding(SimulatedNetwork network)
{
    /// <summary>Sends what is to be sent, and on every answer the next; where none comes, the next call tries again.</summary>
    public void Go(SimulatedOpening opening, bool tellCommitted)
    {
        for (var follower = 0; follower < opening.Rules.Followers; follower++)
        {
            if (opening.Rules.Next(follower, tellCommitted) is { } step)
            {
                _ = Send(opening, follower, step);
            }
        }
    }

    private async Task Send(SimulatedOpening opening, int follower, FeedStep step)
    {
        var name = opening.Chain.Segments.Single(segment => segment.Id == opening.Segment.Header.Identity.Id).Ensemble[follower + 1].Name;
        var isHeard = false;
        switch (step)
        {
            case FeedStep.TellChain:
                var told = await network.Ask(opening.Node, name, $"announce chain {opening.Chain.Version}",
                    found => new NodeAnswer<long>(found.Announce(opening.Chain), null));
                opening.Rules.ChainTold(follower, told);
                isHeard = told.IsKnown;
                break;
            case FeedStep.Send send:
                var message = opening.Message(send);
                var read = network.Do(opening.Node, "read what a follower lacks", _ => new NodeAnswer<byte[]>(
                    opening.Segment.ReadGroups(send.From.Offset, network.World.Random.Next(100, 1500)).ToArray(), null));
                var answer = read.Value is { } groups
                    ? await network.Ask(opening.Node, name, $"groups of {Short(message.SegmentId)} from {send.From.Position}, committed {send.Committed}",
                        found => new NodeAnswer<FollowerAnswer>(found.Follow(message, groups), null))
                    : new NodeAnswer<FollowerAnswer>(null, read.Unknown);
                opening.Answered(follower, answer);
                isHeard = answer.IsKnown;
                break;
        }

        // Whoever does not answer is tried again later.
        if (isHeard)
        {
            Go(opening, tellCommitted: false);
        }
    }
}
