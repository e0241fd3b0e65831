using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Tests.Simulation;
using MemoryPack;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>A node with real segment files on a simulated disk: what the rules say a node does, and nothing else. It crashes at any request to its
/// disk, and comes back with what the disk kept.</summary>
internal sealed partial class SimulatedNode
{
    private readonly World _world;
    private readonly Checks _checks;
    private readonly PlantedBug _bug;
    private readonly Incidents _incidents;
    private readonly Dictionary<Guid, Segment> _segments = [];
    private readonly Dictionary<Guid, Chain> _saved = [];
    private readonly Dictionary<Guid, (string Problem, bool IsUnreadable)> _untrusted = [];
    private readonly Dictionary<Guid, SimulatedOpening> _openings = [];
    private readonly StillTime _time = new();
    private Guid? _lostId;

    public SimulatedNode(string name, World world, Checks checks, Incidents incidents, PlantedBug bug)
    {
        (Name, Id, _world, _checks, _incidents, _bug) = (name, world.NewId(), world, checks, incidents, bug);
        Disk = new SimulatedDisk(world, incidents);
    }

    private SimulatedNode(SimulatedNode original)
    {
        (Name, Id, _world, _checks, _incidents, _bug, Cookie) = (
            original.Name, original.Id, original._world, original._checks, original._incidents, original._bug, original.Cookie);
        Disk = new SimulatedDisk(_world, _incidents, original.Disk.Volume.AfterKill());
        IsUp = false;
    }

    public string Name { get; }

    public Guid Id { get; private set; }

    public ChainNode Node => new(Name, Id);

    public Guid Cookie { get; set; }

    public SimulatedDisk Disk { get; }

    public bool IsUp { get; private set; } = true;

    /// <summary>Its processor stands still: nothing is answered and nothing goes on, and then everything does.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Counts its processes: what one began, the next does not go on with.</summary>
    public int Process { get; private set; }

    /// <summary>Whether the chain store has the start of this process. Before that it answers nothing that counts.</summary>
    public bool IsRegistered { get; private set; }

    /// <summary>A process on a copy of its directory is starting: calls for its name go to that one.</summary>
    public bool HasTwin { get; set; }

    /// <summary>A node on a copy of this one's disk, not started.</summary>
    public SimulatedNode Twin() => new(this);

    public IEnumerable<SimulatedOpening> Openings => _openings.Values;

    public IReadOnlyDictionary<Guid, Segment> Segments => _segments;

    /// <summary>The newest chain that it keeps of each log.</summary>
    public IReadOnlyCollection<Chain> Chains => [.. _saved.Values];

    /// <summary>The logs of which it has anything.</summary>
    public IEnumerable<string> LogNames => _saved.Values.Select(chain => chain.LogName).Concat(_segments.Values.Select(segment => segment.Header.LogName)).Distinct().Order(StringComparer.Ordinal);

    public Chain? Saved(Guid logId) => _saved.GetValueOrDefault(logId);

    /// <summary>Whether what this node answers of a segment is that it has none, or none that can be trusted.</summary>
    public bool HasNothingToSay(Guid segmentId) => !_segments.TryGetValue(segmentId, out var segment) || segment.Poisoned is not null;

    public NodeReport Report() => new(
        Node, Cookie, Disk.IsFull && _world.Chance(0.5) ? 0 : 1L << 40, _segments.Values.Count(segment => segment.State is SegmentState.Prepared or SegmentState.Open));

    public Prepared Prepare(NewSegment claim)
    {
        if (claim.WhyNotOn(Node, Saved(claim.LogId)?.Version ?? 0) is { } reason)
        {
            if (_lostId is { } lost && claim.WhyNotOn(new ChainNode(Name, lost), kept: 0) is null)
            {
                _incidents.Count(Incident.LateClaim);
            }

            throw new StorageException(reason);
        }

        RequireRegistered();
        Make(claim);
        return new Prepared(Node);
    }

    /// <param name="logId">The log.</param>
    /// <param name="segmentId">The segment.</param>
    /// <param name="onlyLook">The planted bug: to answer the tail without fencing it.</param>
    public FencedTail Fence(Guid logId, Guid segmentId, bool onlyLook = false)
    {
        RequireRegistered();
        var segment = Get(segmentId);
        var version = _saved.GetValueOrDefault(logId)?.Version ?? 0;
        var tail = onlyLook || segment.State == SegmentState.Sealed ? segment.Tail : segment.Fence(version);
        _checks.Said(this, segment);
        var isAcknowledged = Opening(segmentId)?.Rules.Committed >= tail.Position;
        if (isAcknowledged)
        {
            _incidents.Count(Incident.AcknowledgedFence);
        }

        return new FencedTail(tail.Position, tail.LastTimestamp, segment.OpeningId, version) { IsAcknowledged = isAcknowledged };
    }

    public Tail Complete(Guid segmentId, Tail from, ReadOnlyMemory<byte> groups)
    {
        RequireRegistered();
        var segment = Get(segmentId);
        var before = segment.Tail.Position;
        var tail = segment.OpenReplica().Complete(from.Position, from.Offset, groups);
        _checks.Said(this, segment);
        if (tail.Position > before)
        {
            _incidents.Count(Incident.Completion);
        }

        return tail;
    }

    public void Wrote(Segment segment) => _checks.Said(this, segment);

    public byte[] ReadGroups(Guid segmentId, long offset, int maxBytes) => Get(segmentId).ReadGroups(offset, maxBytes).ToArray();

    public FollowerAnswer Follow(FollowerAppend append, ReadOnlyMemory<byte> groups)
    {
        RequireRegistered();
        var segment = Get(append.SegmentId);
        var standing = new FollowerStanding(segment.State.ToReplicaState(), segment.Header.Identity.Epoch, segment.OpeningId, TailOf(segment));
        var verdict = FollowerVerdict.On(append, standing, Saved(append.LogId), Name);
        if (_bug == PlantedBug.CompletionCounts && standing.State == ReplicaState.Fenced && (standing.Tail.Offset > append.From.Offset || _world.Chance(0.9)))
        {
            // Refused now and then where there is nothing new, or the two would go on for ever.
            verdict = new FollowerVerdict.AnswerTail();
        }

        if (verdict is FollowerVerdict.Refuse refusal)
        {
            return new FollowerAnswer(segment.OpeningId, standing.Tail, refusal.Refusal, refusal.Why);
        }

        if (verdict is FollowerVerdict.Take)
        {
            segment.OpenReplica().Follow(append.OpeningId, append.From.Position, append.From.Offset, groups);
        }

        segment.Learn(append.Committed);
        _checks.Said(this, segment);
        return new FollowerAnswer(segment.OpeningId, TailOf(segment), FollowerRefusal.None, null);
    }

    public long Announce(Chain chain)
    {
        if (!_saved.TryGetValue(chain.LogId, out var newest) || newest.Version < chain.Version)
        {
            var folder = Folder(chain.LogId);
            Disk.Volume.CreateDirectory(folder);
            new SavedChain(chain.LogId, chain.LogName, chain.Version, MemoryPackSerializer.Serialize(chain)).Save(Disk.Volume, folder);
            _saved[chain.LogId] = newest = chain;
        }

        if (_bug == PlantedBug.WipedPassesForNew && newest.WriteSegment is { } open && open.Ensemble.Contains(Node) && !_untrusted.ContainsKey(open.Id))
        {
            Make(ClaimOf(newest, open));
        }

        foreach (var segment in _segments.Values.Where(segment => segment.Header.LogId == chain.LogId).ToList())
        {
            try
            {
                Obey(segment, newest);
            }
            catch (IOException e) when (e is SegmentDamagedException || e.InnerException is SegmentDamagedException)
            {
                // It is copied anew.
                _segments.Remove(segment.Header.Identity.Id);
                _untrusted[segment.Header.Identity.Id] = (e.InnerException?.Message ?? e.Message, false);
            }
            catch (IOException) when (!Disk.IsDying)
            {
                // That replica says nothing until the next start; the chain is kept all the same.
            }
        }

        return newest.Version;
    }

    public IReadOnlyList<LogInventory> Inventory(string? logName) =>
        [.. _segments.Values.Select(segment => segment.Header.LogId).Union(_saved.Keys).Distinct().Select(logId => new LogInventory
        {
            LogId = logId,
            LogName = Saved(logId)?.LogName ?? _segments.Values.First(segment => segment.Header.LogId == logId).Header.LogName,
            SavedChain = Saved(logId),
            Replicas = [.. _segments.Values.Where(segment => segment.Header.LogId == logId).Select(segment => segment.ToInventory(_ => "?"))],
        }).Where(log => logName is null || log.LogName == logName)];

    /// <summary>The replica here that this node could open for writing, and the chain that lets it; or why there is none.</summary>
    public (Segment? Segment, Chain? Chain, string? WhyNot) Writable(Guid logId, Guid segmentId) => Saved(logId) switch
    {
        _ when !IsRegistered => (null, null, "it is not registered yet"),
        null => (null, null, "no chain is kept here"),
        var chain when WriterRule.WhyNot(chain, segmentId, Name) is { } reason => (null, chain, reason),
        var chain => (Get(segmentId), chain, null),
    };

    /// <summary>The opening that a segment has in this process, or null.</summary>
    public SimulatedOpening? Opening(Guid segmentId) => _openings.GetValueOrDefault(segmentId);

    /// <summary>A new opening of a segment, by a writer who remembers what came before.</summary>
    public SimulatedOpening Open(Segment segment, Chain chain, WriterMemory memory)
    {
        var start = TailOf(segment);
        var opening = _world.NewId();
        var writer = segment.OpenWriter(opening, memory);
        var listed = chain.Segments.Single(entry => entry.Id == segment.Header.Identity.Id);
        return _openings[listed.Id] = new SimulatedOpening(this, chain, segment, writer, new ReplicatedOpening(listed, opening, start));
    }

    /// <summary>The events of a segment that a reader sees here; none where nothing is known to be committed.</summary>
    public IReadOnlyList<RecordedEvent> Read(Guid segmentId, long from, long count)
    {
        var segment = Get(segmentId);
        var end = Math.Min(segment.Committed, from + count);
        var found = new List<RecordedEvent>();
        for (var position = from; position < end; position++)
        {
            Assert.True(segment.TryRead(position, out var e), $"{Name} knows that {end} of {segment.Path} is committed and does not show {position}; {segment.State} up to {segment.Tail}");
            found.Add(e!);
        }

        return found;
    }

    /// <summary>The process ends, or the whole machine with what its page cache held.</summary>
    public void Crash()
    {
        Disk.Crash();
        (IsUp, IsPaused, IsRegistered) = (false, false, false);
        Process++;
        _openings.Clear();
        _segments.Clear();
        _saved.Clear();
        _untrusted.Clear();
        _heads.Clear();
        _fetchedHeads.Clear();
        Invitations = new();
    }

    /// <summary>The directory is gone, and another one begins under the same name.</summary>
    public void Wipe()
    {
        _incidents.Count(Incident.Wipe);
        Disk.Replace();
        if (_bug != PlantedBug.WipedPassesForNew)
        {
            (_lostId, Id) = (Id, _world.NewId());
        }
    }

    public void MoveClock(TimeSpan time)
    {
        _incidents.Count(time < TimeSpan.Zero ? Incident.ClockBack : Incident.ClockForward);
        _time.Advance(time);
    }

    public static ReplicaTail TailOf(Segment segment) => segment.Tail.ToReplicaTail();

    public static string Folder(Guid logId) => Path.Combine(SimulatedDisk.Root, logId.ToString("N"));

    public static string PathOf(Guid logId, Guid segmentId) => Path.Combine(Folder(logId), $"{segmentId:N}-0.seg");

    /// <summary>The replica here.</summary>
    public Segment Get(Guid segmentId) => _segments.GetValueOrDefault(segmentId)
        ?? throw new StorageException(_untrusted.TryGetValue(segmentId, out var untrusted) ? untrusted.Problem : $"node '{Name}' has no file of segment {segmentId:N}");

    private void RequireRegistered()
    {
        if (!IsRegistered)
        {
            throw new StorageException($"node '{Name}' is not registered yet");
        }
    }

    private static NewSegment ClaimOf(Chain chain, ChainSegment open) => new()
    {
        LogId = chain.LogId, LogName = chain.LogName, Segment = open, ChainVersion = chain.Version - 1,
        Predecessor = chain.Segments.Count > 1 ? chain.Segments[^2].Id : null, TimestampFloor = 0,
    };

    private void Make(NewSegment claim)
    {
        var path = PathOf(claim.LogId, claim.Segment.Id);
        if (!_segments.ContainsKey(claim.Segment.Id))
        {
            Disk.Volume.CreateDirectory(Folder(claim.LogId));
            _segments[claim.Segment.Id] = SegmentLoader.Create(Host(), path, claim.ToHeader());
        }
    }

    private void Obey(Segment segment, Chain newest)
    {
        var identity = segment.Header.Identity;
        switch (ReplicaDuty.Under(newest, identity.Id, identity.Generation, segment.Header.ChainVersion, segment.State.ToReplicaState(), Id))
        {
            case ReplicaDuty.SetAside away:
                Aside.Move(segment.Path, segment.Header.LogId, away.Why, () => Close(identity.Id));
                Disk.Volume.SyncDirectory(Folder(segment.Header.LogId));
                break;
            case ReplicaDuty.Seal seal when (segment.State == SegmentState.Fenced ? segment.Tail : segment.Fence(newest.Version)).Position >= seal.End:
                segment.Seal(seal.End);
                _checks.Sealed(segment);
                break;
        }
    }
}
