using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Tests.Simulation;
using MemoryPack;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>A node with real segment files on a simulated disk: what the rules say a node does, and nothing else. It crashes at any request to its
/// disk, and comes back with what the disk kept.</summary>
internal sealed class SimulatedNode
{
    private const string Root = "/kawa";

    private readonly World _world;
    private readonly Checks _checks;
    private readonly PlantedBug _bug;
    private readonly Dictionary<Guid, Segment> _segments = [];
    private readonly Dictionary<Guid, Chain> _saved = [];
    private readonly Dictionary<Guid, string> _untrusted = [];
    private readonly Dictionary<Guid, SimulatedOpening> _openings = [];
    private readonly StillTime _time = new();
    private SimulatedVolume _volume = new();

    public SimulatedNode(string name, World world, Checks checks, PlantedBug bug)
    {
        (Name, Id, _world, _checks, _bug) = (name, world.NewId(), world, checks, bug);
        _volume.CreateDirectory(Root);
        _volume.Fault = Fail;
    }

    public string Name { get; }

    public Guid Id { get; private set; }

    public ChainNode Node => new(Name, Id);

    public Guid Cookie { get; set; }

    public bool IsUp { get; private set; } = true;

    /// <summary>Its processor stands still: nothing is answered and nothing goes on, and then everything does.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Counts its processes: what one began, the next does not go on with.</summary>
    public int Process { get; private set; }

    /// <summary>How often a request to the disk ends in the death of the machine, and how often it is a sync that fails.</summary>
    public (double Death, double FailedSync) DiskTrouble { get; set; }

    /// <summary>The power went in the middle of a request.</summary>
    public bool IsDying { get; private set; }

    public IEnumerable<SimulatedOpening> Openings => _openings.Values;

    public IReadOnlyDictionary<Guid, Segment> Segments => _segments;

    public Chain? Saved(Guid logId) => _saved.GetValueOrDefault(logId);

    /// <summary>Whether what this node answers of a segment is that it has none, or none that can be trusted.</summary>
    public bool HasNothingToSay(Guid segmentId) => !_segments.TryGetValue(segmentId, out var segment) || segment.Poisoned is not null;

    public NodeReport Report() => new(
        Node, Cookie, 1L << 40, _segments.Values.Count(segment => segment.State is SegmentState.Prepared or SegmentState.Open));

    public Prepared Prepare(NewSegment claim)
    {
        if (claim.WhyNotOn(Node) is { } reason)
        {
            throw new StorageException(reason);
        }

        if (!_segments.ContainsKey(claim.Segment.Id))
        {
            var folder = Folder(claim.LogId);
            _volume.CreateDirectory(folder);
            _segments[claim.Segment.Id] = SegmentLoader.Create(Host(), PathOf(claim.LogId, claim.Segment.Id), claim.ToHeader());
        }

        return new Prepared(Node);
    }

    /// <param name="logId">The log.</param>
    /// <param name="segmentId">The segment.</param>
    /// <param name="onlyLook">The planted bug: to answer the tail without fencing it.</param>
    public FencedTail Fence(Guid logId, Guid segmentId, bool onlyLook = false)
    {
        var segment = Get(segmentId);
        var version = _saved.GetValueOrDefault(logId)?.Version ?? 0;
        var tail = onlyLook || segment.State == SegmentState.Sealed ? segment.Tail : segment.Fence(version);
        _checks.Said(this, segment);
        return new FencedTail(tail.Position, tail.LastTimestamp, segment.OpeningId, version);
    }

    public Tail Complete(Guid segmentId, Tail from, ReadOnlyMemory<byte> groups)
    {
        var segment = Get(segmentId);
        var before = segment.Tail.Position;
        var tail = segment.OpenReplica().Complete(from.Position, from.Offset, groups);
        _checks.Said(this, segment);
        _checks.Completions += tail.Position > before ? 1 : 0;
        return tail;
    }

    public void Wrote(Segment segment) => _checks.Said(this, segment);

    public byte[] ReadGroups(Guid segmentId, long offset, int maxBytes) => Get(segmentId).ReadGroups(offset, maxBytes).ToArray();

    public FollowerAnswer Follow(FollowerAppend append, ReadOnlyMemory<byte> groups)
    {
        var segment = Get(append.SegmentId);
        var standing = new FollowerStanding(segment.State.ToReplicaState(), segment.Header.Identity.Epoch, segment.OpeningId, TailOf(segment));
        var verdict = FollowerVerdict.On(append, standing, Saved(append.LogId), Name);
        if (_bug == PlantedBug.CompletionCounts && standing.State == ReplicaState.Fenced)
        {
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
            _volume.CreateDirectory(folder);
            new SavedChain(chain.LogId, chain.LogName, chain.Version, MemoryPackSerializer.Serialize(chain)).Save(_volume, folder);
            _saved[chain.LogId] = newest = chain;
        }

        foreach (var segment in _segments.Values.Where(segment => segment.Header.LogId == chain.LogId).ToList())
        {
            try
            {
                Obey(segment, newest);
            }
            catch (StorageException) when (!IsDying)
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

    /// <summary>The opening of a segment here: the one there is, or a new one if the rules allow it; or why not.</summary>
    public (SimulatedOpening? Opening, string? WhyNot) Open(Guid logId, Guid segmentId)
    {
        if (Saved(logId) is not { } chain)
        {
            return (null, "no chain is kept here");
        }

        if (WriterRule.WhyNot(chain, segmentId, Name) is { } reason)
        {
            return (null, reason);
        }

        if (_openings.TryGetValue(segmentId, out var known))
        {
            return (known, null);
        }

        var segment = Get(segmentId);
        var start = TailOf(segment);
        var opening = _world.NewId();
        var writer = segment.OpenWriter(opening);
        var listed = chain.Segments.Single(entry => entry.Id == segmentId);
        return (_openings[segmentId] = new SimulatedOpening(this, chain, segment, writer, new ReplicatedOpening(listed, opening, start)), null);
    }

    /// <summary>The events of a segment that a reader sees here; none where nothing is known to be committed.</summary>
    public IReadOnlyList<RecordedEvent> Read(Guid segmentId, long from, int count)
    {
        var segment = Get(segmentId);
        var end = segment.Committed;
        var found = new List<RecordedEvent>();
        for (var position = from; position < Math.Min(end, from + count); position++)
        {
            Assert.True(segment.TryRead(position, out var e));
            found.Add(e!);
        }

        return found;
    }

    /// <summary>The process ends, or the whole machine with what its page cache held.</summary>
    public void Crash()
    {
        var choice = _world.Random.Next(4);
        var survival = Survival.Some(_world.Random.Next(), choice == 1 ? 1 : 8);
        var left = choice == 0 && !IsDying ? _volume.AfterKill() : _volume.AfterPowerLoss(_world.Chance(0.2) ? Survival.None : survival);
        (IsUp, IsPaused, IsDying) = (false, false, false);
        Process++;
        _openings.Clear();
        _segments.Clear();
        _saved.Clear();
        _untrusted.Clear();
        _volume = left;
    }

    /// <summary>The directory is gone, and another one begins under the same name.</summary>
    public void Wipe()
    {
        _volume = new SimulatedVolume();
        _volume.CreateDirectory(Root);
        Id = _world.NewId();
    }

    /// <summary>A new process on what the disk kept.</summary>
    public void Start()
    {
        IsUp = true;
        _volume.Fault = Fail;
        foreach (var folder in _volume.Directories(Root).Select(name => Path.Combine(Root, name)))
        {
            LoadChain(folder);
            LoadSegments(folder);
        }

        if (IsDying)
        {
            Crash();
        }
    }

    public void MoveClock(TimeSpan time) => _time.Advance(time);

    public static ReplicaTail TailOf(Segment segment) => segment.Tail.ToReplicaTail();

    private static string Folder(Guid logId) => Path.Combine(Root, logId.ToString("N"));

    private static string PathOf(Guid logId, Guid segmentId) => Path.Combine(Folder(logId), $"{segmentId:N}-0.seg");

    private void LoadChain(string folder)
    {
        try
        {
            if (SavedChain.Load(_volume, folder) is { } kept)
            {
                var chain = MemoryPackSerializer.Deserialize<Chain>(kept.Content.Span)!;
                _saved[chain.LogId] = chain;
            }
        }
        catch (IOException)
        {
            // Not known until it is told again.
        }
    }

    private void LoadSegments(string folder)
    {
        foreach (var path in _volume.Files(folder).Where(name => name.EndsWith(".seg", StringComparison.Ordinal)).Select(name => Path.Combine(folder, name)))
        {
            try
            {
                var segment = SegmentLoader.Load(Host(), path, writable: true);
                _segments[segment.Header.Identity.Id] = segment;
                _checks.Loaded(this, segment);
            }
            catch (StorageException e)
            {
                // Unknown until the next start: nothing is concluded from it.
                _untrusted[DirectoryScan.SegmentIdOf(path) ?? Guid.Empty] = e.Message;
                _checks.Untrusted(this, path, e);
            }
        }
    }

    private void Obey(Segment segment, Chain newest)
    {
        var identity = segment.Header.Identity;
        switch (ReplicaDuty.Under(newest, identity.Id, identity.Generation, segment.Header.ChainVersion, segment.State.ToReplicaState()))
        {
            case ReplicaDuty.SetAside:
                _segments.Remove(identity.Id);
                _volume.Delete(segment.Path);
                _openings.Remove(identity.Id);
                break;
            case ReplicaDuty.Seal seal when (segment.State == SegmentState.Fenced ? segment.Tail : segment.Fence(newest.Version)).Position >= seal.End:
                segment.Seal(seal.End);
                _checks.Sealed(segment);
                break;
        }
    }

    private Segment Get(Guid segmentId) => _segments.GetValueOrDefault(segmentId)
        ?? throw new StorageException(_untrusted.GetValueOrDefault(segmentId) ?? $"node '{Name}' has no file of segment {segmentId:N}");

    private SegmentHost Host() => new(_volume, new MapCache(), _time, WhenSealed: null) { CheckpointIntervalBytes = 2048 };

    private void Fail(Operation operation)
    {
        if (IsDying)
        {
            throw new IOException("the power is gone");
        }

        if (operation.Kind is OperationKind.Write or OperationKind.Sync or OperationKind.Create or OperationKind.SyncDirectory && _world.Chance(DiskTrouble.Death))
        {
            IsDying = true;
            _volume.FailedSyncSurvival = Survival.Some(_world.Random.Next(), 1);
            throw new IOException("the power went");
        }

        if (operation.Kind == OperationKind.Sync && _world.Chance(DiskTrouble.FailedSync))
        {
            _volume.FailedSyncSurvival = Survival.Some(_world.Random.Next(), 8);
            throw new IOException("the sync failed");
        }
    }
}
