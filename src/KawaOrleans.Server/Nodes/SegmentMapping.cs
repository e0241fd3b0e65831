using KawaOrleans.Format;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;

namespace KawaOrleans.Server.Nodes;

/// <summary>The same segment as chains and files describe it.</summary>
internal static class SegmentMapping
{
    public static SegmentHeader ToHeader(this NewSegment made) => new()
    {
        Identity = new SegmentIdentity(made.Segment.Id, made.Segment.Generation, made.Segment.Epoch),
        LogId = made.LogId,
        LogName = made.LogName,
        BasePosition = made.Segment.Base,
        FileBytes = made.Segment.FileBytes,
        Predecessor = made.Predecessor,
        ChainVersion = made.ChainVersion,
        Ensemble = [.. made.Segment.Ensemble.Select(node => node.Id)],
        AckQuorum = made.Segment.AckQuorum,
        TimestampFloor = made.TimestampFloor,
    };

    /// <summary>What a replica says of itself. Its header knows nodes by id; names are looked up in <paramref name="names"/>.</summary>
    public static ReplicaInventory ToInventory(this Segment replica, Func<Guid, string> names)
    {
        var (header, state, tail) = (replica.Header, replica.State, replica.Tail);
        return new ReplicaInventory
        {
            Segment = new ChainSegment
            {
                Id = header.Identity.Id,
                Generation = header.Identity.Generation,
                Epoch = header.Identity.Epoch,
                Base = header.BasePosition,
                End = state == SegmentState.Sealed ? tail.Position : null,
                Ensemble = [.. header.Ensemble.Select(id => new ChainNode(names(id), id))],
                AckQuorum = header.AckQuorum,
                FileBytes = header.FileBytes,
            },
            State = state.ToReplicaState(),
            Tail = tail.Position,
            LastTimestamp = tail.LastTimestamp,
            PreparedAgainst = header.ChainVersion,
            Problem = null,
        };
    }

    public static ReplicaTail ToReplicaTail(this Tail tail) => new(tail.Position, tail.Offset);

    public static ReplicaState ToReplicaState(this SegmentState state) => state switch
    {
        SegmentState.Prepared => ReplicaState.Prepared,
        SegmentState.Open => ReplicaState.Open,
        SegmentState.Fenced => ReplicaState.Fenced,
        SegmentState.Sealed => ReplicaState.Sealed,
        _ => ReplicaState.Unknown,
    };

    public static ReplicaState ToReplicaState(this UntrustedFile file) => file.IsUnreadable ? ReplicaState.Unknown : ReplicaState.Damaged;

    public static SegmentStats ToStats(this Segment replica)
    {
        var stats = replica.GetStats();
        return new SegmentStats
        {
            SegmentId = replica.Header.Identity.Id,
            Path = stats.Path,
            IsReadOnly = stats.IsReadOnly,
            TotalBytes = stats.TotalBytes,
            UsedBytes = stats.UsedBytes,
            Events = stats.Events,
            Base = replica.Header.BasePosition,
            Committed = replica.Committed,
            State = replica.State.ToReplicaState(),
        };
    }
}
