using KawaOrleans.Server.Healing;
using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Inspection;
using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

// Its replicas of segments that have ended, and copies of other nodes' replicas.
internal sealed partial class SimulatedNode : IReplicaFiles
{
    private AsideFolder Aside => new(Disk.Volume, SimulatedDisk.Root);

    private CopiesFolder Copies => new(Host(), SimulatedDisk.Root, Aside);

    /// <summary>Segments that other nodes asked this process to take a replica of.</summary>
    public Invitations Invitations { get; private set; } = new();

    public (ReplicaState State, long Tail) Here(ChainSegment segment) =>
        _untrusted.TryGetValue(segment.Id, out var untrusted) ? (untrusted.IsUnreadable ? ReplicaState.Unknown : ReplicaState.Damaged, 0)
        : _segments.TryGetValue(segment.Id, out var replica) ? (replica.State.ToReplicaState(), replica.Tail.Position)
        : (ReplicaState.Missing, 0);

    public ReplicaCopy BeginCopy(SegmentHeader header)
    {
        var copy = Copies.Begin(header);
        if (copy.Tail.Position > header.BasePosition)
        {
            _incidents.Count(Incident.ResumedCopy);
        }

        return copy;
    }

    public void Install(ReplicaCopy copy, string reason)
    {
        var (logId, id) = (copy.Header.LogId, copy.Header.Identity.Id);
        copy.Dispose();
        var path = PathOf(logId, id);
        Copies.Install(copy, path, reason, () => Close(id));
        _untrusted.Remove(id);
        var segment = SegmentLoader.Load(Host(), path, writable: true);
        _segments[id] = segment;
        _checks.Installed(this, segment);
        _incidents.Count(Incident.Healed);
    }

    public void DiscardCopies(IReadOnlySet<Guid> logs, IReadOnlySet<Guid> needed)
    {
        foreach (var (path, segmentId) in CopiedSegments().Where(copy => !needed.Contains(copy.SegmentId) && logs.Any(log => copy.Path.Contains(log.ToString("N"), StringComparison.Ordinal))).ToList())
        {
            _checks.Discarded(this, segmentId);
            if (IsSealed(path))
            {
                _incidents.Count(Incident.LostPlace);
            }
        }

        Copies.Discard(logs, needed);
    }

    private bool IsSealed(string path)
    {
        try
        {
            return SegmentInspection.Look(Disk.Volume, path).States?.State == SegmentState.Sealed;
        }
        catch (StorageException)
        {
            return false; // a crash cut its making short
        }
    }

    void IReplicaFiles.Announce(Chain chain) => Announce(chain);

    /// <summary>Notes that this node may take a place of an ensemble.</summary>
    public bool Invite(Chain chain, Guid segmentId)
    {
        RequireRegistered();
        Announce(chain);
        return Invitations.Add(Saved(chain.LogId)!, segmentId);
    }

    /// <summary>Reads every frame of the sealed replicas; those that do not verify say nothing any more.</summary>
    public void Verify()
    {
        foreach (var segment in _segments.Values.Where(segment => segment.State == SegmentState.Sealed).ToList())
        {
            if (WhatIsWrong(segment) is { } damage)
            {
                _incidents.Count(Incident.DamageMet);
                Distrust(damage);
            }
        }
    }

    /// <summary>Whether it has a segment whole, verified, and on the disk itself: as its replica, or as the copy that is about to be it.</summary>
    public bool HasDurably(Guid logId, ChainSegment segment)
    {
        return new[] { PathOf(logId, segment.Id), CopyOf(logId, segment.Id) }.Any(path =>
            Disk.Volume.OnDisk(path) is { } disk && SegmentInspection.Verify(disk, path) is { Damage.Count: 0, States.State: SegmentState.Sealed } found && found.Tail?.Position == segment.End);
    }

    /// <summary>Whether a file of a segment is here, in its place or set aside.</summary>
    public bool HasFileOf(Guid segmentId) => Disk.Volume.AllFiles.Any(path => path.Contains(segmentId.ToString("N"), StringComparison.Ordinal)
        && !path.EndsWith(".why", StringComparison.Ordinal) && Path.GetFileName(Path.GetDirectoryName(path)) != CopiesFolder.Name);

    public static string CopyOf(Guid logId, Guid segmentId) => Path.Combine(SimulatedDisk.Root, CopiesFolder.Name, $"{logId:N}-{segmentId:N}-0.seg");

    private IEnumerable<(string Path, Guid SegmentId)> CopiedSegments() => Disk.Volume.Files(Path.Combine(SimulatedDisk.Root, CopiesFolder.Name))
        .Select(name => (Path.Combine(SimulatedDisk.Root, CopiesFolder.Name, name), Guid.ParseExact(name.Split('-')[1], "N")));

    private SegmentDamagedException? WhatIsWrong(Segment segment)
    {
        try
        {
            // As after each seal and each start: it is read whole for that, and closed. What is found may lie in another segment, on which the
            // footer rests: then this one is read by the next pass.
            segment.WriteFooter();
            return SegmentInspection.Verify(Disk.Volume, segment.Path).Damage is [var place, ..] ? new SegmentDamagedException(place.Path, place.Offset, place.Found) : null;
        }
        catch (SegmentDamagedException damage)
        {
            return damage;
        }
        catch (StorageException) when (!Disk.IsDying)
        {
            return null; // no room for the footer, or it failed: the next pass tries again
        }
    }

    private void Close(Guid segmentId)
    {
        _openings.Remove(segmentId);
        if (_segments.Remove(segmentId, out var segment))
        {
            segment.Dispose();
        }
    }
}
