namespace KawaOrleans.Server.Protocol;

/// <summary>What a node's own replica of a segment that has ended lacks, and the nodes it can have it from.</summary>
/// <param name="Chain">The chain that lists it.</param>
/// <param name="Segment">The segment.</param>
/// <param name="Lack">What is wrong with it.</param>
/// <param name="Sources">The other nodes of its ensemble that are alive, in order.</param>
internal sealed record ReplicaNeed(Chain Chain, ChainSegment Segment, ReplicaLack Lack, IReadOnlyList<string> Sources)
{
    /// <summary>What this node's replicas lack under a chain it keeps. An open segment is never among them: nothing that a copy brings may
    /// count for it (docs/PROTOCOL.md, P16).</summary>
    /// <param name="chain">The newest chain kept.</param>
    /// <param name="self">This node.</param>
    /// <param name="here">What is here of a segment, and how far it reaches.</param>
    /// <param name="catalogue">Which nodes were given up.</param>
    /// <param name="live">Nodes believed alive.</param>
    public static IEnumerable<ReplicaNeed> Under(
        Chain chain, ChainNode self, Func<ChainSegment, (ReplicaState State, long Tail)> here, Catalogue catalogue, IReadOnlyCollection<string> live)
    {
        foreach (var segment in chain.Segments)
        {
            if (segment.End is { } end && segment.Ensemble.Count > 1 && segment.Ensemble.Contains(self) && Lacks(here(segment), end) is { } lack)
            {
                yield return new ReplicaNeed(chain, segment, lack, SourcesFor(segment, self, catalogue, live));
            }
        }
    }

    /// <summary>The nodes that a node can have a segment from.</summary>
    public static IReadOnlyList<string> SourcesFor(ChainSegment segment, ChainNode self, Catalogue catalogue, IReadOnlyCollection<string> live) =>
        [.. segment.Ensemble.Where(node => node.Name != self.Name && !catalogue.IsGivenUp(node.Id) && live.Contains(node.Name)).Select(node => node.Name)];

    /// <summary>Whether a replica is known to have all of a segment that has ended.</summary>
    public static bool IsWhole(ChainSegment segment, (ReplicaState State, long Tail) here) =>
        segment.End is { } end && here.State != ReplicaState.Unknown && Lacks(here, end) is null;

    private static ReplicaLack? Lacks((ReplicaState State, long Tail) here, long end) => here.State switch
    {
        ReplicaState.Missing => ReplicaLack.Missing,
        ReplicaState.Damaged => ReplicaLack.Damaged,
        ReplicaState.Unknown => null, // the medium failed: for the operator
        _ => here.Tail < end ? ReplicaLack.Short : null,
    };
}

/// <summary>What a replica lacks.</summary>
internal enum ReplicaLack
{
    /// <summary>It ends before its segment does.</summary>
    Short = 0,

    /// <summary>It does not verify.</summary>
    Damaged = 1,

    /// <summary>There is no file.</summary>
    Missing = 2,
}
