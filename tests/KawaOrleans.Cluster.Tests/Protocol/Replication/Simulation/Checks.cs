using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>The invariants of docs/PROTOCOL.md, held against everything that happens. What is broken is noted and ends the run.</summary>
internal sealed class Checks(StoredRecords stored, IReadOnlyList<SimulatedNode> nodes, Losses losses, Incidents incidents)
{
    private readonly Dictionary<(string Node, Guid Segment), ReplicaTail> _said = [];
    private readonly HashSet<(Guid Directory, Guid Segment)> _held = [];
    private readonly Dictionary<Guid, long> _acknowledged = [];
    private readonly Dictionary<Guid, long> _ends = [];

    /// <summary>The first invariant that was broken, or null.</summary>
    public string? Broken { get; private set; }

    public int Swaps { get; private set; }

    public int Acknowledgements { get; private set; }

    /// <summary>P2: what a node said it holds, it has whenever it starts again.</summary>
    public void Said(SimulatedNode node, Segment segment)
    {
        var (key, tail) = ((node.Name, segment.Header.Identity.Id), SimulatedNode.TailOf(segment));
        _held.Add((node.Id, segment.Header.Identity.Id));
        if (segment.State == SegmentState.Sealed || tail.Offset > _said.GetValueOrDefault(key).Offset)
        {
            _said[key] = tail;
        }
    }

    /// <summary>Up to which offset a node said that it holds a segment.</summary>
    public long SaidOf(SimulatedNode node, Guid segmentId) => _said.GetValueOrDefault((node.Name, segmentId)).Offset;

    public void Sealed(Segment segment)
    {
        var id = segment.Header.Identity.Id;
        Require(_ends.TryGetValue(id, out var end) && end == segment.Tail.Position, "P7", $"{Name(id)} is sealed at {segment.Tail.Position}, the chain says {end}");
    }

    /// <summary>A copy from elsewhere is this node's replica from here on.</summary>
    public void Installed(SimulatedNode node, Segment segment)
    {
        Said(node, segment);
        losses.Healed(node, segment.Header.Identity.Id);
        Sealed(segment);
    }

    /// <summary>P18: a copy that a chain lists stays.</summary>
    public void Discarded(SimulatedNode node, Guid segmentId)
    {
        foreach (var listed in stored.Chains.Values.SelectMany(chain => chain.Value.Segments).Where(listed => listed.Id == segmentId && listed.Ensemble.Contains(node.Node)))
        {
            var (state, tail) = node.Here(listed);
            Require(tail >= listed.End, "P18", $"{node.Name} is listed for {Name(segmentId)}, which is {state} there up to {tail}, and removes its copy");
        }
    }

    /// <summary>P18 and P19 once nothing fails any more: every segment that has ended is whole, verified and on the disk on as many nodes as can have
    /// it, and no file is gone that a node ever said it holds.</summary>
    public void Whole(IReadOnlyList<SimulatedLog> logs)
    {
        foreach (var (log, chain) in logs.Select(log => (log, stored.Chains[log.Name].Value)))
        {
            foreach (var segment in chain.Segments.Where(segment => !segment.IsOpen && chain.Options.Replicas > 1))
            {
                var able = Math.Min(chain.Options.Replicas, nodes.Count);
                Require(segment.Ensemble.Count == able, "healing", $"{Name(segment.Id)} is listed on {segment.Ensemble.Count} nodes, and {able} could have it");
                foreach (var member in segment.Ensemble)
                {
                    var node = nodes.Single(node => node.Name == member.Name);
                    Require(node.Id == member.Id, "healing", $"{Name(segment.Id)} is listed on a directory of {member.Name} that is gone");
                    Require(node.HasDurably(log.Id, segment), "healing", $"{Name(segment.Id)} is not whole on {member.Name}: {node.Here(segment)}");
                }
            }
        }

        foreach (var (directory, segmentId) in _held.Where(held => !losses.WasDeleted(held.Directory, held.Segment)))
        {
            Require(nodes.FirstOrDefault(node => node.Id == directory)?.HasFileOf(segmentId) != false, "P19", $"the file of {Name(segmentId)} is gone");
        }
    }

    public void Loaded(SimulatedNode node, Segment segment)
    {
        var id = segment.Header.Identity.Id;
        if (segment.State != SegmentState.Sealed && !node.Disk.IsCopy)
        {
            var said = _said.GetValueOrDefault((node.Name, id)).Offset;
            Require(segment.Tail.Offset >= said, "P2", $"{node.Name} said it holds {Name(id)} up to offset {said}, and comes back with {segment.Tail.Offset}");
        }
    }

    /// <summary>P2: no crash looks like damage, but for a file whose making was cut short.</summary>
    public void Untrusted(SimulatedNode node, string path, StorageException why)
    {
        var hadSaid = _said.Keys.Any(key => key.Node == node.Name && path.Contains(key.Segment.ToString("N"), StringComparison.Ordinal));
        var hasRotted = DirectoryScan.SegmentIdOf(path) is { } id && losses.HasRotted(node, id);
        Require(why is not SegmentDamagedException || !hadSaid || hasRotted || node.Disk.IsCopy, "P2", $"{node.Name} had said what it holds, and a crash left damage: {why.Message}");
    }

    /// <summary>P3 and P5, from the side of the acknowledgement. An answer that rests on nothing of its segment rests on segments that the chain
    /// has ended, whatever became of this one.</summary>
    public void Acknowledged(SimulatedOpening opening, long end)
    {
        Acknowledgements++;
        if (end == opening.Segment.Header.BasePosition)
        {
            return;
        }

        var id = opening.Segment.Header.Identity.Id;
        _acknowledged[id] = Math.Max(_acknowledged.GetValueOrDefault(id), end);
        var listed = stored.Chains.GetValueOrDefault(opening.Chain.LogName)?.Value.Segments.FirstOrDefault(segment => segment.Id == id);
        Require(listed is not null, "P3", $"{end} of {Name(id)} was acknowledged, which is in no chain");
        Require(listed is null or { IsOpen: true } || listed.End >= end, "P5", $"{end} of {Name(id)} was acknowledged, which the chain had ended at {listed?.End}");
        var holders = Holders(id, end);
        Require(holders >= (listed?.AckQuorum ?? 1), "P3", $"{end} of {Name(id)} was acknowledged and {holders} nodes hold it");
    }

    /// <summary>Whether the chain has not ended the segment of an opening.</summary>
    public bool IsOpen(SimulatedOpening opening) =>
        stored.Chains.GetValueOrDefault(opening.Chain.LogName)?.Value.WriteSegment?.Id == opening.Segment.Header.Identity.Id;

    /// <summary>Every chain that comes into the store.</summary>
    public void Swapped(Chain? before, Chain next)
    {
        Swaps++;
        Require(ChainRules.Validate(next) is null, "P7", $"chain {next.Version} is unsound: {ChainRules.Validate(next)}");
        if (before is null)
        {
            return;
        }

        if (next.Epoch == before.Epoch && next.Segments.Count == before.Segments.Count && next.WriteSegment == before.WriteSegment
            && next.Segments.Zip(before.Segments).Where(pair => !pair.First.Ensemble.SequenceEqual(pair.Second.Ensemble)).ToList() is [var moved])
        {
            Moved(before, next, moved.Second, moved.First);
            return;
        }

        Require(next.Version == before.Version + 1 && next.Epoch == before.Epoch + (next.WriteSegment is null ? 0 : 1), "P7", $"chain {next.Version} comes after {before.Version}");
        var open = before.WriteSegment;
        Require(before.Segments.SkipLast(open is null ? 0 : 1).SequenceEqual(next.Segments.Take(before.Segments.Count - (open is null ? 0 : 1))), "P7", "a sealed segment changed");
        if (next.WriteSegment is { } opened)
        {
            Require(before.Segments.All(segment => segment.Id != opened.Id), "P9", $"{Name(opened.Id)} enters twice");
            foreach (var member in opened.Ensemble)
            {
                var claim = nodes.Single(node => node.Name == member.Name).Segments.GetValueOrDefault(opened.Id);
                Require(
                    claim is null || (claim.Header.ChainVersion == before.Version && claim.Header.BasePosition == opened.Base),
                    "P9", $"{Name(opened.Id)} enters after chain {before.Version} and was prepared against {claim?.Header.ChainVersion}");
            }
        }

        if (open is not null && next.WriteSegment?.Id != open.Id)
        {
            // One that ends empty leaves the chain.
            Ended(open, next.Segments.FirstOrDefault(segment => segment.Id == open.Id)?.End ?? open.Base);
        }
    }

    /// <summary>P1 and P8 over all replicas of every segment that are at hand.</summary>
    public void Replicas()
    {
        foreach (var replicas in nodes.SelectMany(node => node.Segments.Values, (node, segment) => (Node: node.Name, Segment: segment, IsRotten: losses.HasRotted(node, segment.Header.Identity.Id)))
            .Where(replica => !replica.IsRotten).GroupBy(replica => replica.Segment.Header.Identity.Id))
        {
            var openings = replicas.Select(replica => replica.Segment.OpeningId).Where(id => id is not null).Distinct().Count();
            Require(openings <= 1, "P8", $"{Name(replicas.Key)} was opened {openings} times");
            var longest = replicas.MaxBy(replica => replica.Segment.Tail.Offset);
            var bytes = Bytes(longest.Segment);
            foreach (var (node, segment, _) in replicas)
            {
                Require(bytes.Span.StartsWith(Bytes(segment).Span), "P1", $"{Name(replicas.Key)} on {node} is no prefix of that on {longest.Node}");
            }
        }
    }

    public void Require(bool holds, string invariant, string what)
    {
        if (!holds)
        {
            Broken ??= $"{invariant}: {what}";
        }
    }

    private static ReadOnlyMemory<byte> Bytes(Segment segment) => segment.ReadGroups(FileLayout.FirstFrame, int.MaxValue);

    private static string Name(Guid id) => $"segment {SimulatedNodes.Short(id)}";

    /// <summary>P17 to P19: another node for a segment that has ended, in the place of one that was given up or as one more, and it has all of it.</summary>
    private void Moved(Chain before, Chain next, ChainSegment was, ChainSegment now)
    {
        Require(next.Version == before.Version + 1 && !was.IsOpen && now with { Ensemble = was.Ensemble } == was, "P17", $"{Name(was.Id)} changed and not only its nodes");
        var gone = was.Ensemble.Except(now.Ensemble).ToList();
        Require(gone.TrueForAll(node => stored.Catalogue!.Value.IsGivenUp(node.Id)) && gone.Count <= 1, "P19", $"{Name(was.Id)} left {string.Join(", ", gone)}");
        var joined = Assert.Single(now.Ensemble.Except(was.Ensemble));
        incidents.Count(gone.Count > 0 ? Incident.TakenPlace : Incident.AddedPlace);
        var node = nodes.Single(node => node.Name == joined.Name);
        Require(node.Id == joined.Id && node.HasDurably(before.LogId, was), "P18", $"{joined.Name} is listed for {Name(was.Id)} and does not have it whole on its disk");
    }

    private void Ended(ChainSegment open, long end)
    {
        var acknowledged = _acknowledged.GetValueOrDefault(open.Id);
        Require(end >= acknowledged, "P5", $"{Name(open.Id)} is ended at {end} and {acknowledged} was acknowledged");
        var holders = Holders(open.Id, end);

        // Where every fence quorum has A nodes, A answered.
        var needed = FenceDecision.Quorum(open) >= open.AckQuorum ? open.AckQuorum : 1;
        Require(end == open.Base || holders >= needed, "P11", $"{Name(open.Id)} is ended at {end}, which {holders} nodes hold");
        _ends[open.Id] = end;
    }

    /// <summary>How many nodes have it, up or not: what a node that is down said it holds is on its disk (P2), or was until that was lost.</summary>
    private int Holders(Guid id, long end) => nodes.Count(node => !node.Disk.IsCopy && node.Segments.TryGetValue(id, out var segment)
        ? segment.Tail.Position >= end
        : _said.TryGetValue((node.Name, id), out var said) && said.Position >= end);
}
