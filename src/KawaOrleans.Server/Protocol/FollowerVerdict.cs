namespace KawaOrleans.Server.Protocol;

/// <summary>Whether a follower takes what a primary sends it.</summary>
internal abstract record FollowerVerdict
{
    /// <summary>It begins at the tail: write and sync group after group, then answer.</summary>
    public sealed record Take : FollowerVerdict;

    /// <summary>It is the right writer, but this does not begin at the tail: change nothing, answer the tail.</summary>
    public sealed record AnswerTail : FollowerVerdict;

    /// <summary>It takes nothing.</summary>
    public sealed record Refuse(FollowerRefusal Refusal, string Why) : FollowerVerdict;

    /// <param name="append">What the primary says.</param>
    /// <param name="replica">How the replica here stands.</param>
    /// <param name="saved">The newest chain kept here, synced; null: none.</param>
    /// <param name="node">This node.</param>
    public static FollowerVerdict On(FollowerAppend append, FollowerStanding replica, Chain? saved, string node)
    {
        if (replica.State is not (ReplicaState.Prepared or ReplicaState.Open))
        {
            return new Refuse(FollowerRefusal.Ended, $"its replica on node '{node}' is {replica.State}");
        }

        if (replica.Epoch != append.Epoch)
        {
            return new Refuse(FollowerRefusal.OtherWriter, $"its replica on node '{node}' has epoch {replica.Epoch}, the writer {append.Epoch}");
        }

        if (replica.OpeningId is { } first && first != append.OpeningId)
        {
            return new Refuse(FollowerRefusal.OtherWriter, $"its replica on node '{node}' follows opening {first:N}, not {append.OpeningId:N}");
        }

        // Not before this node remembers that the segment is in the chain: what it holds then counts, and a rebuild must know of it.
        switch (saved?.Segments.FirstOrDefault(segment => segment.Id == append.SegmentId && segment.Generation == append.Generation))
        {
            case null:
                return new Refuse(FollowerRefusal.TellChain, $"node '{node}' keeps no chain that lists it");
            case { IsOpen: false }:
                return new Refuse(FollowerRefusal.Ended, $"version {saved!.Version} of the chain kept by node '{node}' ends it");
            case var listed when listed.Primary == node || listed.Ensemble.All(member => member.Name != node):
                return new Refuse(FollowerRefusal.OtherWriter, $"node '{node}' is not one of its followers");
            default:
                return append.From == replica.Tail ? new Take() : new AnswerTail();
        }
    }
}

/// <summary>A replica as a follower asks about it.</summary>
internal readonly record struct FollowerStanding(ReplicaState State, long Epoch, Guid? OpeningId, ReplicaTail Tail);
