using KawaOrleans.Format;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>Which replicas were lost or damaged on purpose. A segment bears the loss of fewer replicas than acknowledge (A), if those that are left
/// always meet A (F ≥ A); more is not done to it.</summary>
/// <param name="world">The world.</param>
/// <param name="stored">The chains.</param>
/// <param name="nodes">The nodes.</param>
/// <param name="said">Up to which offset a node said that it holds a segment.</param>
internal sealed class Losses(World world, StoredRecords stored, IReadOnlyList<SimulatedNode> nodes, Func<SimulatedNode, Guid, long> said)
{
    private readonly HashSet<(string Node, Guid Segment)> _rotten = [];

    /// <summary>Whether a replica rotted, or went with its directory.</summary>
    public bool IsLost(ChainNode member, Guid segmentId) =>
        _rotten.Contains((member.Name, segmentId)) || nodes.Single(node => node.Name == member.Name).Id != member.Id;

    public bool HasRotted(SimulatedNode node, Guid segmentId) => _rotten.Contains((node.Name, segmentId));

    /// <summary>Whether the logs bear it that a node loses all it has. With A = 1 every node is needed to end a segment, one not yet in the chain too.</summary>
    public bool MayWipe(SimulatedNode node) => stored.Chains.Values.All(chain => chain.Value.Options.AckQuorum > 1) && stored.Chains.Values.SelectMany(chain => chain.Value.Segments)
        .Where(segment => segment.Ensemble.Contains(node.Node)).All(segment => MayLose(node.Node, segment));

    /// <summary>Turns over a bit in a replica of a node; what it tells, or null where nothing may rot.</summary>
    public string? Rot(SimulatedNode node)
    {
        var candidates = stored.Chains.Values
            .SelectMany(chain => chain.Value.Segments, (chain, segment) => (Segment: segment, Path: SimulatedNode.PathOf(chain.Value.LogId, segment.Id)))
            .Where(replica => replica.Segment.Ensemble.Contains(node.Node) && MayLose(node.Node, replica.Segment) && node.Disk.Volume.Exists(replica.Path))
            .ToList();
        if (candidates.Count == 0)
        {
            return null;
        }

        var (segment, path) = candidates[world.Random.Next(candidates.Count)];
        var identity = new SegmentIdentity(segment.Id, segment.Generation, segment.Epoch);
        var bytes = node.Disk.Volume.Bytes(path);
        var end = LastGroup(bytes, said(node, segment.Id), identity);
        var inHeader = end == FileLayout.FirstFrame || world.Chance(0.2);

        // In the header page only what was written: a bit in a sector of zeroes would be found too, but says less.
        var offset = inHeader ? world.Random.Next(64) : world.Random.Next((int)FileLayout.FirstFrame, end);
        node.Disk.Rot(path, offset);
        _rotten.Add((node.Name, segment.Id));
        return $"a bit of {SimulatedNodes.Short(segment.Id)} on {node.Name} turns over at {offset}";
    }

    /// <summary>Where the last write group that is certainly on disk begins. A bit that turns over in that looks like a torn write: a known limit (docs/FORMAT.md),
    /// which the idle checkpoint keeps small.</summary>
    private static int LastGroup(ReadOnlySpan<byte> bytes, long said, SegmentIdentity identity)
    {
        var (at, group) = ((int)FileLayout.FirstFrame, (int)FileLayout.FirstFrame);
        while (Frame.TryRead(bytes[at..], at, identity, out var frame) == FrameStatus.Whole && frame.End <= said)
        {
            (group, at) = ((int)frame.GroupStart, (int)frame.End);
        }

        return group;
    }

    private bool MayLose(ChainNode node, ChainSegment segment) =>
        segment.AckQuorum > 1
        && FenceDecision.Quorum(segment) >= segment.AckQuorum
        && (IsLost(node, segment.Id) || segment.Ensemble.Count(member => IsLost(member, segment.Id)) < segment.AckQuorum - 1);
}
