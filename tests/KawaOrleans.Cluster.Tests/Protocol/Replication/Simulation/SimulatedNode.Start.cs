using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Tests.Simulation;
using MemoryPack;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

// What a process finds on the disk when it starts, and the heads of streams that it makes of it.
internal sealed partial class SimulatedNode
{
    private const string StartsPath = $"{SimulatedDisk.Root}/starts";

    private readonly Dictionary<Guid, LogHeads> _heads = [];
    private readonly Dictionary<Guid, FetchedHeads> _fetchedHeads = [];
    private KeptStarts _starts = new(0, []);

    /// <summary>What its directory keeps of itself.</summary>
    public NodeDirectory Directory => new(Node, Cookie, _starts.Starts);

    /// <summary>The directory before the one that it has now, if that was lost.</summary>
    public ChainNode? Lost => _lostId is { } id ? new ChainNode(Name, id) : null;

    /// <summary>Keeps starts, synced.</summary>
    public void Keep(IReadOnlyList<NodeRecord> starts)
    {
        var kept = new KeptStarts(_starts.Number + 1, [.. starts]);
        TwoSlotRecord.Write(Disk.Volume, StartsPath, kept.Number, MemoryPackSerializer.Serialize(kept));
        _starts = kept;
    }

    /// <summary>Its start is the one that the chain store has.</summary>
    public void Registered() => IsRegistered = true;

    /// <summary>The starts that a directory keeps.</summary>
    public static IReadOnlyList<NodeRecord> StartsOn(SimulatedVolume disk) =>
        TwoSlotRecord.Read(disk, StartsPath) is { } kept ? MemoryPackSerializer.Deserialize<KeptStarts>(kept)!.Starts : [];

    /// <summary>A new process on what the disk kept.</summary>
    public void Start()
    {
        IsUp = true;

        // The planted bugs: nobody asks whether this directory may vote.
        IsRegistered = _bug == PlantedBug.WipedPassesForNew || (_bug == PlantedBug.CopyVotes && Disk.IsCopy);
        var volume = Disk.Volume;
        var knowsItself = LoadStarts();
        foreach (var folder in volume.Directories(SimulatedDisk.Root).Where(name => Guid.TryParseExact(name, "N", out _)).Select(name => Path.Combine(SimulatedDisk.Root, name)))
        {
            LoadChain(folder);
            LoadSegments(folder);
        }

        if (Disk.IsDying || !knowsItself)
        {
            Crash();
        }
    }

    /// <summary>Whether this node knows the last event of every stream before a segment.</summary>
    public bool HasHeadsBefore(SegmentHeader header) => header.Predecessor is null || _fetchedHeads.ContainsKey(header.Identity.Id) || Heads(header.LogId).HasBefore(header.BasePosition);

    /// <summary>A sealed replica that does not verify says nothing any more: others have what it held.</summary>
    public void Distrust(SegmentDamagedException damage)
    {
        if (_segments.Values.FirstOrDefault(segment => segment.Path == damage.Path && segment.State == SegmentState.Sealed) is { } segment)
        {
            _segments.Remove(segment.Header.Identity.Id);
            _untrusted[segment.Header.Identity.Id] = (damage.Message, false);
        }
    }

    /// <summary>Takes the heads before a segment from elsewhere.</summary>
    public void TakeHeads(Guid segmentId, FetchedHeads heads) => _fetchedHeads[segmentId] = heads;

    private LogHeads Heads(Guid logId)
    {
        if (!_heads.TryGetValue(logId, out var heads))
        {
            heads = new LogHeads(Disk.Volume, Folder(logId), logId, () => _segments.Values.Where(segment => segment.Header.LogId == logId));
            _heads.Add(logId, heads);
        }

        return heads;
    }

    private SegmentHost Host() => new(Disk.Volume, new MapCache(), _time, WhenSealed: null)
    {
        CheckpointIntervalBytes = 2048,
        HeadsBefore = header => header.Predecessor is null ? NoHeads.Instance
            : _fetchedHeads.TryGetValue(header.Identity.Id, out var fetched) ? fetched
            : Heads(header.LogId).Before(header.BasePosition),
    };

    /// <summary>False where a silo would not start: it was not registered, and not refused either.</summary>
    private bool LoadStarts()
    {
        try
        {
            _starts = TwoSlotRecord.ReadDurably(Disk.Volume, StartsPath) is { } kept ? MemoryPackSerializer.Deserialize<KeptStarts>(kept)! : new KeptStarts(0, []);
            return true;
        }
        catch (IOException)
        {
            // The machine dies, or the sync failed.
            _starts = new KeptStarts(0, []);
            return false;
        }
    }

    private void LoadChain(string folder)
    {
        try
        {
            if (SavedChain.Load(Disk.Volume, folder) is { } kept)
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
        foreach (var path in Disk.Volume.Files(folder).Where(name => name.EndsWith(".seg", StringComparison.Ordinal)).Select(name => Path.Combine(folder, name)))
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
                _untrusted[DirectoryScan.SegmentIdOf(path) ?? Guid.Empty] = (e.Message, e is SegmentUnreadableException or SegmentPoisonedException);
                _checks.Untrusted(this, path, e);
                if (e is SegmentDamagedException or NotASegmentException)
                {
                    _incidents.Count(Incident.DamageMet);
                }
            }
        }
    }
}

/// <summary>A node's starts as its disk has them.</summary>
/// <param name="Number">Grows with every change.</param>
/// <param name="Starts">The starts.</param>
[MemoryPackable]
internal sealed partial record KeptStarts(long Number, NodeRecord[] Starts);
