using System.Runtime.ExceptionServices;
using KawaOrleans.Storage.Recovery;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage;

/// <summary>One replica. Reads are safe from any thread and never wait for a write.</summary>
/// <remarks>
/// What must stay true: readers see only what is below the published tail; the tail is published after the sync; the header
/// page's sectors are written once each, under <see cref="WriteGate"/>, synced before the state they announce is acted upon.
/// While the recovery is unfinished the published tail is the end of what is certainly on disk. It is good for reads below
/// it and for nothing else: whoever asks where the segment ends, or changes it, has the recovery finished first.
/// </remarks>
public sealed partial class Segment : IDisposable
{
    private readonly SegmentFile _file;
    private readonly uint _key;
    private readonly TailSignal _signal = new();
    private readonly PublishedTail _tail;
    private readonly SegmentFrames _frames;
    private UnfinishedRecovery? _unfinished;
    private ExceptionDispatchInfo? _recoveryFailure;

    /// <summary>Where a writer begins; null of a sealed segment. It has the whole index, so it goes with it.</summary>
    private RecoveredTail? _recovered;
    private long _tornBytes;
    private volatile SegmentState _state;
    private SegmentWriter? _writer;
    private ReplicaWriter? _replica;
    private WriterMemory? _memory;
    private OpenedSector? _opened;

    /// <summary>Kept until the footer serves; null from then on.</summary>
    private OpenStreams? _streams;
    private Exception? _poison;
    private ulong _contentHash;

    /// <summary>What one of several was told in this process; negative: nothing.</summary>
    private long _committed = -1;
    private bool _disposed;

    internal Segment(SegmentFile file, SegmentState state, OpenedSector? opened, UnfinishedRecovery recovery)
    {
        _file = file;
        _key = file.Header.Identity.ChecksumKey;
        _state = state;
        _opened = opened;
        _unfinished = recovery;
        LostPower = recovery.LostPower;
        _tail = new PublishedTail(recovery.Covered);
        _frames = new SegmentFrames(this, file) { Positions = recovery.Positions, Map = file.Map() };
    }

    /// <summary>A file that this process has just made.</summary>
    internal Segment(SegmentFile file, RecoveredTail blank)
    {
        _file = file;
        _key = file.Header.Identity.ChecksumKey;
        _state = SegmentState.Prepared;
        _recovered = blank;
        _contentHash = blank.ContentHash;
        _tail = new PublishedTail(blank.Tail);
        _frames = new SegmentFrames(this, file) { Positions = blank.Positions, Map = file.Map() };
        _streams = blank.Streams;
        _streams.Names = _frames;
    }

    internal Segment(SegmentFile file, OpenedSector? opened, SealedSector end)
    {
        _file = file;
        _key = file.Header.Identity.ChecksumKey;
        _state = SegmentState.Sealed;
        _opened = opened;
        _tail = new PublishedTail(end.End);
        _contentHash = end.ContentHash;
        _frames = new SegmentFrames(this, file);
    }

    /// <summary>What the file says of itself.</summary>
    public SegmentHeader Header => _file.Header;

    /// <summary>Where it is in its life.</summary>
    public SegmentState State => _state;

    /// <summary>The file.</summary>
    public string Path => _file.Path;

    /// <summary>The end of what is on disk: readers stop here.</summary>
    /// <exception cref="StorageException">The recovery could not be finished; see <see cref="Recover"/>.</exception>
    public Tail Tail
    {
        get
        {
            Recover();
            return _tail.Read();
        }
    }

    /// <summary>The position readers stop at. Of a sealed replica, and of the only one, it is the tail's; of one of several it is what is known here
    /// to be acknowledged (<see cref="Learn"/>): after a restart nothing, until someone tells.</summary>
    /// <exception cref="StorageException">The recovery could not be finished; see <see cref="Recover"/>.</exception>
    public long Committed
    {
        get
        {
            // State first: a segment found sealed here has the tail it was sealed with.
            var isSealed = _state == SegmentState.Sealed;
            var tail = Tail.Position;
            return isSealed || !Header.IsOneOfSeveral ? tail : Math.Clamp(Volatile.Read(ref _committed), Header.BasePosition, tail);
        }
    }

    /// <summary>False for a replica of several that holds events and was not told in this process how many of them are acknowledged: that
    /// <see cref="Committed"/> is its base then says nothing of the log.</summary>
    public bool KnowsCommitted =>
        !Header.IsOneOfSeveral || Volatile.Read(ref _committed) >= 0 || _state == SegmentState.Sealed || Tail.Position == Header.BasePosition;

    /// <summary>The opening recorded when its first writer took it, or null.</summary>
    public Guid? OpeningId => _opened?.OpeningId;

    /// <summary>True when it takes no appends: fenced, sealed, or opened for reading only.</summary>
    public bool IsReadOnly => _state >= SegmentState.Fenced || !_file.IsWritable;

    /// <summary>Why this process writes the segment no more, or null.</summary>
    public string? Poisoned => Volatile.Read(ref _poison)?.Message;

    /// <summary>Bytes of an unfinished write group that recovery cut behind the tail; 0: it ended cleanly.</summary>
    public long TornBytes
    {
        get
        {
            Recover();
            return _tornBytes;
        }
    }

    /// <summary>True for a mapped segment whose machine went down while it was written: acknowledged events may be missing. It is
    /// served up to its tail, sealed and never resumed.</summary>
    public bool LostPower { get; }

    /// <summary>The end of what a read sees without waiting for the recovery.</summary>
    internal Tail Published => _tail.Read();

    /// <summary>True once it is sealed and its footer is in place.</summary>
    internal bool IsServedByFooter => _state == SegmentState.Sealed && _frames.IsSealed;

    internal object WriteGate { get; } = new();

    internal IVolumeFile WritableFile => _file.Writable;

    /// <summary>Makes a segment file at a path and opens it for writing.</summary>
    /// <exception cref="IOException">The file exists.</exception>
    /// <exception cref="DiskFullException">No room.</exception>
    public static Segment Create(string path, SegmentHeader header, TimeProvider? time = null) =>
        SegmentLoader.Create(SegmentHost.ForOneFile(time), path, header);

    /// <summary>Opens and recovers the segment file at a path for reading and writing; no other process may have it open.</summary>
    /// <exception cref="SegmentDamagedException">It cannot be trusted; nothing was changed.</exception>
    /// <exception cref="NotASegmentException">It is not ours, or newer than this program.</exception>
    /// <exception cref="SegmentUnreadableException">The medium failed.</exception>
    public static Segment Open(string path, TimeProvider? time = null) =>
        SegmentLoader.Load(SegmentHost.ForOneFile(time), path, writable: true);

    /// <summary>Opens the segment file at a path for reading and writing and serves at once what is certainly on disk; the rest of its
    /// recovery is done by <see cref="Recover"/>, or by the first call that needs it.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    public static Segment OpenUnrecovered(string path, TimeProvider? time = null) =>
        SegmentLoader.LoadUnrecovered(SegmentHost.ForOneFile(time), path, writable: true);

    /// <summary>Opens the segment file at a path and changes nothing in it.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    public static Segment OpenReadOnly(string path) =>
        SegmentLoader.Load(SegmentHost.ForOneFile(null), path, writable: false);

    /// <summary>Finishes the recovery: finds the tail, puts on disk what may be only in the page cache, and publishes it. All calls
    /// but reads below what is certainly on disk do so first. Repeatable; a failure is final and the same for each caller.</summary>
    /// <exception cref="SegmentDamagedException">It cannot be trusted; nothing was changed.</exception>
    /// <exception cref="SegmentUnreadableException">The medium failed.</exception>
    /// <exception cref="SegmentPoisonedException">A write or sync failed.</exception>
    /// <exception cref="WriterFencedException">The segment was closed before.</exception>
    public void Recover()
    {
        if (Volatile.Read(ref _unfinished) is null)
        {
            return;
        }

        lock (WriteGate)
        {
            if (_unfinished is { } unfinished)
            {
                Finish(unfinished);
            }
        }
    }

    /// <summary>Takes the write handle; the one before it is fenced off after its write in flight.</summary>
    /// <exception cref="WriterFencedException">The replica is fenced, sealed or open for reading only, or <see cref="LostPower"/>.</exception>
    /// <exception cref="SegmentPoisonedException">A write or sync failed earlier in this process.</exception>
    public SegmentWriter OpenWriter(Guid openingId) => OpenWriter(openingId, _opened?.Durability ?? Durability.Durable);

    /// <summary>Takes the durable write handle with a memory of the log's newest events, which ends at <see cref="Tail"/>. The one that an
    /// earlier writer of this segment had is kept instead, if there was one.</summary>
    /// <exception cref="InvalidOperationException">The memory ends elsewhere, or the segment is written mapped.</exception>
    /// <inheritdoc cref="OpenWriter(Guid)" path="/exception"/>
    public SegmentWriter OpenWriter(Guid openingId, WriterMemory memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        lock (WriteGate)
        {
            var given = _memory is null;
            _memory ??= memory;
            try
            {
                return OpenWriter(openingId, Durability.Durable);
            }
            catch when (given)
            {
                _memory = null;
                throw;
            }
        }
    }

    /// <summary>True when a writer of this segment left its memory here, or has it.</summary>
    public bool HasMemory => Volatile.Read(ref _memory) is not null;

    /// <summary>Takes the memory of the log's newest events out of a segment that is written no more; null when it has none, or may
    /// still be written.</summary>
    public WriterMemory? TakeMemory()
    {
        lock (WriteGate)
        {
            var memory = _state >= SegmentState.Fenced ? _memory : null;
            _memory = memory is null ? _memory : null;
            return memory;
        }
    }

    /// <summary>What a writer remembers of the events in [from, to), for <see cref="WriterMemory.Add"/>. Verifies each frame.</summary>
    /// <exception cref="SegmentDamagedException">A frame does not verify.</exception>
    public byte[] Remember(long from, long to) => _frames.Remember(from, to, Tail);

    /// <summary>Takes the write handle with this durability, which a segment keeps from its first opening on.</summary>
    /// <exception cref="InvalidOperationException">The segment was first opened with another durability.</exception>
    /// <inheritdoc cref="OpenWriter(Guid)" path="/exception"/>
    public SegmentWriter OpenWriter(Guid openingId, Durability durability)
    {
        lock (WriteGate)
        {
            Recover();
            RefuseIfPoisoned();
            if (IsReadOnly || _recovered is null || LostPower || WasOpenedBefore)
            {
                throw new WriterFencedException(Path);
            }

            if (_opened is { } first && first.Durability != durability)
            {
                throw new InvalidOperationException($"{Path} was opened as {first.Durability} and stays so.");
            }

            if (_writer is not null)
            {
                _writer.End(() => new WriterFencedException(Path));
                TakeIndex(SegmentRecovery.Find(WritableFile, Header, mapped: durability == Durability.Mapped, powerWasLost: false));
            }

            if (_state == SegmentState.Prepared)
            {
                RecordOpening(openingId, durability);
                Learn(Header.BasePosition);
            }

            _memory?.ForgetFrom(_recovered.Tail.Position);
            if (_memory is not null && _memory.End != _recovered.Tail.Position)
            {
                throw new InvalidOperationException($"{Path} ends at {_recovered.Tail.Position}, the memory given at {_memory.End}.");
            }

            var cursor = new TailCursor(Header, _recovered, _file.Host.HeadsBefore(Header), _file.Host.CheckpointIntervalBytes);
            return _writer = durability == Durability.Mapped ? OpenMapped(cursor) : OpenDurable(cursor);
        }
    }

    /// <summary>Takes the handle by which this replica of several gets what another one has.</summary>
    /// <exception cref="InvalidOperationException">It is the only replica, or this process writes it as the primary.</exception>
    /// <exception cref="WriterFencedException">It is sealed or open for reading only.</exception>
    /// <exception cref="SegmentPoisonedException">A write or sync failed earlier in this process.</exception>
    public ReplicaWriter OpenReplica() => OpenReplica(syncsGroups: true);

    /// <inheritdoc cref="OpenReplica()"/>
    internal ReplicaWriter OpenReplica(bool syncsGroups)
    {
        lock (WriteGate)
        {
            Recover();
            RefuseIfPoisoned();
            if (!Header.IsOneOfSeveral || (_writer is not null && _state != SegmentState.Fenced))
            {
                throw new InvalidOperationException($"{Path}: {(_writer is null ? "the only replica" : "a primary")} does not follow another.");
            }

            return _state == SegmentState.Sealed || !_file.IsWritable || _recovered is null
                ? throw new WriterFencedException(Path)
                : _replica ??= new ReplicaWriter(this, _writer is null ? _recovered : SegmentRecovery.Find(WritableFile, Header, mapped: false, powerWasLost: false), syncsGroups);
        }
    }

    /// <summary>Tells one of several replicas how far the segment is acknowledged; it never takes back. More than it holds may be told.</summary>
    public void Learn(long committed)
    {
        for (var known = Volatile.Read(ref _committed); committed > known;)
        {
            var found = Interlocked.CompareExchange(ref _committed, committed, known);
            known = found == known ? committed : found;
        }

        _signal.Pulse();
    }

    /// <summary>Whole write groups as they lie here, for another replica: from the offset of a frame, and below <see cref="Tail"/>, about so many
    /// bytes, at least one group or the rest of one; empty at the tail and behind it. Not verified: whoever takes them does that.</summary>
    /// <exception cref="SegmentDamagedException">A frame's length makes no sense.</exception>
    public ReadOnlyMemory<byte> ReadGroups(long offset, int maxBytes)
    {
        var tail = Tail;
        ArgumentOutOfRangeException.ThrowIfLessThan(offset, FileLayout.FirstFrame);

        // A segment that ended below its tail holds less than another replica may have had.
        return offset < tail.Offset ? _frames.Groups(offset, maxBytes, tail) : default;
    }

    /// <summary>The event at a position, or false where there is none (not yet, no more, or not here).</summary>
    /// <exception cref="SegmentDamagedException">The frame does not verify.</exception>
    public bool TryRead(long position, out RecordedEvent? found)
    {
        found = _frames.Find(position, TailFor(position));
        return found is not null;
    }

    /// <summary>Walks the events of [from, to) that are there now, in place: nothing is copied or allocated, each is verified.</summary>
    /// <exception cref="SegmentDamagedException">On the way: a frame does not verify.</exception>
    public EventScan Scan(long from, long to) => _frames.Scan(from, to, TailFor(from));

    /// <summary>The frames of [from, to), as many as fit: at least one event if there is one. Not verified: the reader does that.</summary>
    /// <exception cref="SegmentDamagedException">A frame's length or position makes no sense.</exception>
    public FrameSpan Read(long from, long to, int maxEvents, int maxBytes) =>
        _frames.Read(from, to, maxEvents, maxBytes, TailFor(from));

    /// <summary>Completes with true once <see cref="Committed"/> is beyond the position, with false when time is up or the segment has ended.</summary>
    public async ValueTask<bool> WaitForAsync(long position, TimeSpan wait, CancellationToken cancellation)
    {
        if (Volatile.Read(ref _unfinished) is not null)
        {
            await Task.Run(Recover, cancellation).ConfigureAwait(false);
        }

        var started = _file.Host.Time.GetTimestamp();
        while (true)
        {
            var moved = _signal.Next;
            if (Committed > position)
            {
                return true;
            }

            var left = wait - _file.Host.Time.GetElapsedTime(started);
            if (_state == SegmentState.Sealed || left <= TimeSpan.Zero)
            {
                return false;
            }

            try
            {
                await moved.WaitAsync(left, _file.Host.Time, cancellation).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return Committed > position;
            }
        }
    }

    /// <summary>Makes the replica refuse its writer for ever (synced) and answers how far it got. Repeatable.</summary>
    /// <exception cref="SegmentPoisonedException">A write or sync failed earlier in this process: its tail is unknown until a restart.</exception>
    /// <exception cref="WriterFencedException">The file is open for reading only, or closed.</exception>
    public Tail Fence(long savedChainVersion)
    {
        lock (WriteGate)
        {
            Recover();
            if (_state < SegmentState.Fenced)
            {
                RefuseIfPoisoned();
                _writer?.End(() => new WriterFencedException(Path) { IsByFence = true });
                _writer?.Settle();
                _contentHash = _writer?.ContentHash ?? _replica?.ContentHash ?? _recovered!.ContentHash;
                WriteSector(FileLayout.Fenced, new FencedSector(Tail, OpeningId ?? Guid.Empty, savedChainVersion).Encode(_key));
                _state = SegmentState.Fenced;
            }

            return Tail;
        }
    }

    /// <summary>Ends a fenced replica at the position that the chain says (synced). What it holds beyond is void. Repeatable.</summary>
    /// <exception cref="InvalidOperationException">Not fenced, or shorter than that, or already ended elsewhere.</exception>
    /// <exception cref="SegmentPoisonedException">A write or sync failed, now or earlier in this process.</exception>
    public void Seal(long end)
    {
        lock (WriteGate)
        {
            if (_state == SegmentState.Sealed && Tail.Position == end)
            {
                return;
            }

            RefuseIfPoisoned();

            if (_state != SegmentState.Fenced || end > Tail.Position || end < Header.BasePosition)
            {
                throw new InvalidOperationException($"{Path}: {_state} up to {Tail.Position} cannot be sealed at {end}.");
            }

            var (sealedTail, hash) = end == Tail.Position ? (Tail, _contentHash) : _frames.EndAt(end, Tail);
            WriteSector(FileLayout.Sealed, new SealedSector(sealedTail, hash).Encode(_key));
            _tail.Publish(sealedTail);
            _contentHash = hash;
            _state = SegmentState.Sealed;
        }

        _signal.Pulse();
        _file.Host.WhenSealed?.Invoke(this);
    }

    /// <summary>Path, sizes, counts.</summary>
    public ReplicaStats GetStats()
    {
        var tail = Tail;
        return new ReplicaStats(Path, IsReadOnly, _file.Length, tail.Offset, tail.Position - Header.BasePosition);
    }

    /// <summary>Counts and bounds of time of a sealed segment; null while it is not sealed.</summary>
    public SegmentBounds? Bounds => _state == SegmentState.Sealed ? _frames.Sealed(Tail).Footer.Bounds : null;

    /// <summary>Writes the footer of a sealed segment if it is missing, verifying every frame; true when it wrote one.</summary>
    /// <exception cref="SegmentDamagedException">A frame does not verify.</exception>
    public bool WriteFooter()
    {
        lock (WriteGate)
        {
            if (_state != SegmentState.Sealed || _disposed || _poison is not null)
            {
                return false;
            }

            var end = Tail;
            var map = _file.Map();
            var wrote = Footer.TryRead(map, _key, end.Offset) is null;
            if (wrote)
            {
                var footer = Footer.Build(map, Path, _key, end.Offset, end.Position - Header.BasePosition, _file.Host.HeadsIfKnown(Header)).Encode(_key, end.Offset, end.Position - Header.BasePosition);
                _file.WriteBehindEnd(end.Offset, footer);
            }

            // From here on the map and the footer serve reads; both come and go with the cache.
            _file.CloseWritable();
            ForgetIndex();
            return wrote;
        }
    }

    /// <summary>Finishes the write in flight, leaves a checkpoint so that the next opening is quick, and closes the file.</summary>
    public void Dispose()
    {
        lock (WriteGate)
        {
            _writer?.End(() => new WriterFencedException(Path));
            if (_state == SegmentState.Open && _poison is null)
            {
                _writer?.LeaveCheckpoint();
            }

            _disposed = true;
            _file.Dispose();
            _file.Host.Views.Remove(this);
        }
    }

    internal void CheckpointIfIdle(TimeSpan idle) => Volatile.Read(ref _writer)?.CheckpointIfIdle(idle);

    /// <summary>Shows readers a group that is on disk. The caller holds the write gate.</summary>
    internal void Publish(Tail tail)
    {
        _tail.Publish(tail);
        _signal.Pulse();
    }

    /// <summary>Notes the first opening, synced. The caller holds the write gate.</summary>
    internal void RecordOpening(Guid openingId, Durability durability)
    {
        // What is on disk outlives every run of the system.
        var boot = durability == Durability.Mapped ? BootId.Current : Guid.Empty;
        var opened = new OpenedSector(openingId, _file.Host.Time.GetUtcNow().UtcTicks, durability, boot);
        WriteSector(FileLayout.Opened, opened.Encode(_key));
        _opened = opened;
        _state = SegmentState.Open;
    }

    /// <summary>The index from here on is that of what was found. The caller holds the write gate.</summary>
    internal void TakeIndex(RecoveredTail found)
    {
        _recovered = found;
        _tornBytes = found.TornBytes;
        _frames.Positions = found.Positions;
        found.Streams.Names = _frames;
        Volatile.Write(ref _streams, found.Streams);
    }

    /// <summary>Shows readers what a replica took, which is on disk. The caller holds the write gate.</summary>
    internal void Took(Tail tail, ulong contentHash)
    {
        _contentHash = contentHash;
        Publish(tail);
    }

    internal void Poison(Exception cause) => Volatile.Write(ref _poison, cause);

    /// <summary>The tail for a read that begins there: the published one if it reaches beyond, else the one that recovery finds.</summary>
    private Tail TailFor(long position)
    {
        var tail = _tail.Read();
        tail = position < tail.Position ? tail : Tail;
        return Header.IsOneOfSeveral ? tail with { Position = Math.Min(tail.Position, Committed) } : tail;
    }

    private void Finish(UnfinishedRecovery unfinished)
    {
        _recoveryFailure?.Throw();
        if (_disposed)
        {
            throw new WriterFencedException(Path);
        }

        try
        {
            _recovered = unfinished.Finish();
        }
        catch (Exception e)
        {
            _recoveryFailure = ExceptionDispatchInfo.Capture(
                e is IOException and not StorageException or UnauthorizedAccessException ? new SegmentUnreadableException(Path, e) : e);
            _recoveryFailure.Throw();
        }

        _contentHash = _recovered!.ContentHash;
        _tornBytes = _recovered.TornBytes;
        _recovered.Streams.Names = _frames;
        Volatile.Write(ref _streams, _recovered.Streams);
        Publish(_recovered.Tail);
        Volatile.Write(ref _unfinished, null);
    }

    /// <summary>Lets go of what only writing took: 5 bytes an event and about 70 a stream. The handles too, which their users may keep for as long as the
    /// segment is there. The caller holds the write gate.</summary>
    private void ForgetIndex()
    {
        Volatile.Write(ref _streams, null);
        _frames.ServeSealed();
        _writer?.Forget();
        (_recovered, _writer, _replica) = (null, null, null);
    }

    /// <summary>With one replica, who may write again is guarded by the directory's lock. Of several, others may have ended it meanwhile.</summary>
    private bool WasOpenedBefore => Header.IsOneOfSeveral && _state == SegmentState.Open;

    private GroupCommitWriter OpenDurable(TailCursor cursor) =>
        new(this, new DurableTail(cursor, FileLayout.MaxGroupBytes(Header.FileBytes)), _memory, _file.Host.Time);

    private MappedWriter OpenMapped(TailCursor cursor)
    {
        // Readers share the writer's map: pages it has made present cost them no fault.
        var map = WritableFile.MapWritable();
        _frames.Map = map;
        return new MappedWriter(this, cursor, map, _file.Host.Time);
    }

    internal void RefuseIfPoisoned()
    {
        // A second sync after a failed one succeeds without having written anything: nothing may be concluded from it.
        if (_poison is not null)
        {
            throw new SegmentPoisonedException(Path, _poison);
        }
    }

    private void WriteSector(long offset, byte[] sector)
    {
        var file = WritableFile;
        try
        {
            // The sectors before it are on disk: this process synced them, or its recovery wrote them again.
            file.Write(offset, sector);
            file.Sync();
        }
        catch (IOException e)
        {
            Poison(e);
            throw new SegmentPoisonedException(Path, e);
        }
    }
}
