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
    private readonly HashSet<(Guid Directory, Guid Segment)> _deleted = [];
    private readonly Dictionary<string, long> _versionsAtLoss = [];

    /// <summary>Whether a replica rotted, or went with its directory.</summary>
    public bool IsLost(ChainNode member, Guid segmentId) => _rotten.Contains((member.Name, segmentId)) || IsLost(member);

    /// <summary>Whether the file of a replica was deleted by nobody of ours.</summary>
    public bool WasDeleted(Guid directory, Guid segmentId) => _deleted.Contains((directory, segmentId));

    /// <summary>A copy took the place of what was lost.</summary>
    public void Healed(SimulatedNode node, Guid segmentId) => _rotten.Remove((node.Name, segmentId));

    public bool HasRotted(SimulatedNode node, Guid segmentId) => _rotten.Contains((node.Name, segmentId));

    /// <summary>Whether the logs bear it that a node loses all it has. With A = 1 every node is needed to end a segment, one not yet in the chain too.</summary>
    /// <remarks>One directory at a time: the next one when no chain lists the last one any more, and no claim that was made before can come into a chain.</remarks>
    public bool MayWipe(SimulatedNode node) => stored.Chains.All(chain => chain.Value.Value.Version > _versionsAtLoss.GetValueOrDefault(chain.Key))
        && !stored.Chains.Values.SelectMany(chain => chain.Value.Segments).Any(segment => segment.Ensemble.Any(IsLost)) && stored.Chains.Values.All(chain => chain.Value.Options.AckQuorum > 1) && stored.Chains.Values.SelectMany(chain => chain.Value.Segments)
        .Where(segment => segment.Ensemble.Contains(node.Node)).All(segment => MayLose(node.Node, segment));

    /// <summary>Notes that a directory is lost.</summary>
    public void Wiped()
    {
        foreach (var (name, chain) in stored.Chains)
        {
            _versionsAtLoss[name] = chain.Value.Version;
        }
    }

    /// <summary>Turns over a bit in a replica of a node, or cuts or deletes the file of one that is down; what it tells, or null where nothing may be lost.</summary>
    public (Incident What, string Said)? Harm(SimulatedNode node)
    {
        var candidates = stored.Chains.Values
            .SelectMany(chain => chain.Value.Segments, (chain, segment) => (Segment: segment, Path: SimulatedNode.PathOf(chain.Value.LogId, segment.Id)))
            .Where(replica => replica.Segment.Ensemble.Contains(node.Node) && MayLose(node.Node, replica.Segment) && node.Disk.Volume.Exists(replica.Path)
                && node.Disk.Volume.Bytes(replica.Path).Length > FileLayout.FirstFrame)
            .ToList();
        if (candidates.Count == 0)
        {
            return null;
        }

        var (segment, path) = candidates[world.Random.Next(candidates.Count)];
        _rotten.Add((node.Name, segment.Id));
        var name = $"{SimulatedNodes.Short(segment.Id)} on {node.Name}";
        switch (node.IsUp ? 0 : world.Random.Next(4))
        {
            case 2:
                var left = world.Random.Next(node.Disk.Volume.Bytes(path).Length);
                node.Disk.Volume.Replace(path, node.Disk.Volume.Bytes(path)[..left].ToArray());
                return (Incident.TruncatedReplica, $"{name} is cut after {left} bytes");
            case 3:
                node.Disk.Volume.Lose(path);
                _deleted.Add((node.Id, segment.Id));
                return (Incident.DeletedReplica, $"{name} is deleted");
        }

        var identity = new SegmentIdentity(segment.Id, segment.Generation, segment.Epoch);
        var bytes = node.Disk.Volume.Bytes(path);
        var end = LastGroup(bytes, said(node, segment.Id), identity);
        var inHeader = end == FileLayout.FirstFrame || world.Chance(0.2);

        // In the header page only what was written: a bit in a sector of zeroes would be found too, but says less.
        var offset = inHeader ? world.Random.Next(64) : world.Random.Next((int)FileLayout.FirstFrame, end);
        node.Disk.Rot(path, offset);
        return (Incident.RottenReplica, $"a bit of {name} turns over at {offset}");
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

    private bool IsLost(ChainNode member) =>
        nodes.Single(node => node.Name == member.Name).Id != member.Id || stored.Catalogue!.Value.IsGivenUp(member.Id);

    private bool MayLose(ChainNode node, ChainSegment segment) =>
        segment.AckQuorum > 1
        && FenceDecision.Quorum(segment) >= segment.AckQuorum
        && (IsLost(node, segment.Id) || segment.Ensemble.Count(member => IsLost(member, segment.Id)) < segment.AckQuorum - 1);
}
