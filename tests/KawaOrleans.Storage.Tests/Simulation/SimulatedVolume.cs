using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Tests.Simulation;

/// <summary>A disk in memory that keeps apart what the page cache shows and what survives a power loss. It records what is asked of
/// it, and a fault can be injected into any request. Directory changes become durable in order, with a sync of any directory.</summary>
internal sealed class SimulatedVolume : IVolume
{
    private const int InUse = 11;

    private readonly Lock _gate = new();
    private readonly Dictionary<int, SimulatedFile> _files = [];
    private readonly HashSet<string> _directories = ["/"];
    private readonly HashSet<string> _locks = [];
    private readonly List<Action<Dictionary<string, int>>> _pendingNames = [];
    private Dictionary<string, int> _names = [];
    private Dictionary<string, int> _durableNames = [];
    private int _nextFile;

    /// <summary>Everything asked so far that changes the disk, while recording.</summary>
    public List<Operation>? Recorded { get; set; }

    /// <summary>Called before each request; what it throws is the request's outcome. A failed sync loses its pages.</summary>
    public Action<Operation>? Fault { get; set; }

    /// <summary>Called while a range is brought to the disk; other requests go on meanwhile.</summary>
    public Action<string>? Draining { get; set; }

    /// <summary>Which pages a failed sync got to the disk all the same.</summary>
    public Survival FailedSyncSurvival { get; set; } = Survival.None;

    /// <summary>The batch that is appended to a map next, as its writer gets it: a dead writer may leave it there unstamped.</summary>
    public byte[]? Unstamped { get; set; }

    public long BytesRead { get; private set; }

    public int Syncs { get; private set; }

    /// <summary>Begins to record, and answers the volume as it is at that moment.</summary>
    public SimulatedVolume RecordFromHere()
    {
        lock (_gate)
        {
            Recorded = [];
            return AfterKill();
        }
    }

    public void Note(string fact)
    {
        lock (_gate)
        {
            Recorded?.Add(new Operation(OperationKind.Note, fact));
        }
    }

    public void ForgetCounts() => (BytesRead, Syncs) = (0, 0);

    /// <summary>The file's bytes as a program sees them, to be changed behind the engine's back.</summary>
    public Span<byte> Bytes(string path) => _files[_names[path]].Cache;

    /// <summary>Changes a file's content and length behind the engine's back, in cache and on disk.</summary>
    public void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        var file = new SimulatedFile(_names[path], bytes.Length);
        file.Write(0, bytes);
        file.Sync();
        _files[_names[path]] = file;
    }

    /// <summary>Changes some bytes behind the engine's back, in cache and on disk.</summary>
    public void Replace(string path, int offset, ReadOnlySpan<byte> bytes)
    {
        _files[_names[path]].Write(offset, bytes);
        _files[_names[path]].Sync();
    }

    /// <summary>Turns over bits of a byte; what no sync has covered stays so.</summary>
    public void Flip(string path, int offset, byte bits) => _files[_names[path]].Flip(offset, bits);

    /// <summary>What a program would read there.</summary>
    public byte[] BytesAt(int file, int offset, int length) => _files[file].Cache.Slice(offset, length).ToArray();

    public IReadOnlyList<string> AllFiles => [.. _names.Keys.Order()];

    /// <summary>Takes the file out of the directory, so that something else can take its place.</summary>
    public void Vanish(string path) => _names.Remove(path);

    /// <summary>The file is gone, and no power loss brings it back.</summary>
    public void Lose(string path)
    {
        lock (_gate)
        {
            _names.Remove(path);
            _durableNames = new Dictionary<string, int>(_names);
            _pendingNames.Clear();
        }
    }

    /// <summary>A volume of one file as it certainly is on the disk, or null when it is not there.</summary>
    public SimulatedVolume? OnDisk(string path)
    {
        lock (_gate)
        {
            if (!_durableNames.TryGetValue(path, out var id))
            {
                return null;
            }

            var disk = new SimulatedVolume();
            disk._names[path] = id;
            disk._files[id] = _files[id].AfterPowerLoss(Survival.None, arrived: null);
            return disk;
        }
    }

    public IVolumeFile Create(string path, long bytes, Preparation preparation)
    {
        lock (_gate)
        {
            if (Exists(path))
            {
                throw new IOException($"{path} exists");
            }

            Do(new Operation(OperationKind.Create, path, _nextFile, Length: (int)bytes));
            return new Handle(this, _files[_names[path]], path, writable: true);
        }
    }

    public IVolumeFile Open(string path, bool writable)
    {
        lock (_gate)
        {
            Fault?.Invoke(new Operation(OperationKind.Open, path));
            return _names.TryGetValue(path, out var id)
                ? new Handle(this, _files[id], path, writable)
                : throw new FileNotFoundException("no such file", path);
        }
    }

    public IDisposable Lock(string directory, string name)
    {
        lock (_gate)
        {
            return _locks.Add(directory)
                ? new Release(() => _locks.Remove(directory))
                : throw new DirectoryLockedException(directory, new IOException("locked", InUse));
        }
    }

    public bool Exists(string path)
    {
        lock (_gate)
        {
            return _names.ContainsKey(path) || _directories.Contains(path);
        }
    }

    public IReadOnlyList<string> Files(string directory)
    {
        lock (_gate)
        {
            return [.. _names.Keys.Where(p => Path.GetDirectoryName(p) == directory).Select(p => Path.GetFileName(p)).Order()];
        }
    }

    public IReadOnlyList<string> Directories(string directory)
    {
        lock (_gate)
        {
            return [.. _directories.Where(p => Path.GetDirectoryName(p) == directory).Select(p => Path.GetFileName(p)).Order()];
        }
    }

    public void CreateDirectory(string directory)
    {
        for (var at = directory; at is not null && !_directories.Contains(at); at = Path.GetDirectoryName(at))
        {
            Do(new Operation(OperationKind.CreateDirectory, at));
        }
    }

    public void Rename(string from, string to) => Do(new Operation(OperationKind.Rename, from, To: to));

    public void Delete(string path)
    {
        if (_names.ContainsKey(path))
        {
            Do(new Operation(OperationKind.Delete, path));
        }
    }

    public void SyncDirectory(string directory) => Do(new Operation(OperationKind.SyncDirectory, directory));

    public long FreeBytes(string directory) => 1L << 40;

    /// <summary>Does again what another volume recorded.</summary>
    public void Apply(Operation operation)
    {
        lock (_gate)
        {
            switch (operation.Kind)
            {
                case OperationKind.Create:
                    _files[operation.File] = new SimulatedFile(operation.File, operation.Length);
                    _files[operation.File].Write(0, new byte[operation.Length]);
                    _nextFile = Math.Max(_nextFile, operation.File + 1);
                    ChangeNames(names => names[operation.Path] = operation.File);
                    break;
                case OperationKind.Write or OperationKind.Store:
                    _files[operation.File].Write(operation.Offset, operation.Bytes);
                    break;
                case OperationKind.SetLength:
                    _files[operation.File].Grow(operation.Length);
                    break;
                case OperationKind.Sync:
                    Syncs++;
                    _files[operation.File].Sync();
                    break;
                case OperationKind.Rename:
                    ChangeNames(names =>
                    {
                        names.Remove(operation.Path, out var file);
                        names[operation.To] = file;
                    });
                    break;
                case OperationKind.Delete:
                    ChangeNames(names => names.Remove(operation.Path));
                    break;
                case OperationKind.SyncDirectory:
                    Syncs++;
                    _durableNames = new Dictionary<string, int>(_names);
                    _pendingNames.Clear();
                    break;
                case OperationKind.CreateDirectory:
                    _directories.Add(operation.Path);
                    break;
            }
        }
    }

    /// <summary>The disk after the power went now; of a write in flight the given bytes arrived.</summary>
    public SimulatedVolume AfterPowerLoss(Survival survival, (int File, int Offset, byte[] Bytes)? arrived = null)
    {
        lock (_gate)
        {
            var lost = new SimulatedVolume { _nextFile = _nextFile };
            lost._directories.UnionWith(_directories);
            var names = new Dictionary<string, int>(_durableNames);
            _pendingNames.Take(survival.NamesKept(_pendingNames.Count)).ToList().ForEach(change => change(names));
            (lost._names, lost._durableNames) = (names, new Dictionary<string, int>(names));
            foreach (var id in names.Values)
            {
                lost._files[id] = _files[id].AfterPowerLoss(survival, arrived?.File == id ? (arrived.Value.Offset, arrived.Value.Bytes) : null);
            }

            return lost;
        }
    }

    /// <summary>The volume after the process was killed: the page cache lives on, handles and locks do not.</summary>
    public SimulatedVolume AfterKill((int File, int Offset, byte[] Bytes)? arrived = null)
    {
        lock (_gate)
        {
            var left = new SimulatedVolume { _nextFile = _nextFile };
            left._directories.UnionWith(_directories);
            (left._names, left._durableNames) = (new Dictionary<string, int>(_names), new Dictionary<string, int>(_durableNames));
            left._pendingNames.AddRange(_pendingNames);
            foreach (var (id, file) in _files)
            {
                left._files[id] = file.Clone();
            }

            if (arrived is { } write)
            {
                left._files[write.File].Write(write.Offset, write.Bytes);
            }

            return left;
        }
    }

    /// <summary>The process is killed: this volume is from here on the one that <see cref="AfterKill"/> would answer, without copying it.</summary>
    public void Kill()
    {
        lock (_gate)
        {
            _locks.Clear();
            foreach (var id in _files.Keys.ToList())
            {
                _files[id] = _files[id].Inherit();
            }
        }
    }

    /// <summary>The power goes: this volume is from here on the one that <see cref="AfterPowerLoss"/> would answer, without copying it.</summary>
    public void LosePower(Survival survival, (int File, int Offset, byte[] Bytes)? arrived)
    {
        lock (_gate)
        {
            var names = new Dictionary<string, int>(_durableNames);
            _pendingNames.Take(survival.NamesKept(_pendingNames.Count)).ToList().ForEach(change => change(names));
            (_names, _durableNames) = (names, new Dictionary<string, int>(names));
            _pendingNames.Clear();
            foreach (var id in _files.Keys.Except(names.Values).ToList())
            {
                _files.Remove(id);
            }

            Kill();
            foreach (var (id, file) in _files)
            {
                file.LosePower(survival, arrived?.File == id ? (arrived.Value.Offset, arrived.Value.Bytes) : null);
            }
        }
    }

    private void ChangeNames(Action<Dictionary<string, int>> change)
    {
        change(_names);
        _pendingNames.Add(change);
    }

    private void Do(Operation operation)
    {
        lock (_gate)
        {
            try
            {
                Fault?.Invoke(operation);
            }
            catch when (operation.Kind == OperationKind.Sync)
            {
                _files[operation.File].FailSync(FailedSyncSurvival);
                throw;
            }

            Recorded?.Add(operation);
            Apply(operation);
        }
    }

    private sealed class Release(Action action) : IDisposable
    {
        public void Dispose() => action();
    }

    private sealed class Handle : IVolumeFile
    {
        private readonly SimulatedVolume _volume;
        private readonly SimulatedFile _file;
        private readonly bool _writable;
        private bool _closed;

        public Handle(SimulatedVolume volume, SimulatedFile file, string path, bool writable)
        {
            if (file.HasWriter || (writable && file.Handles > 0))
            {
                throw new IOException($"{path} is in use", InUse);
            }

            (_volume, _file, _writable, Path) = (volume, file, writable, path);
            file.Handles++;
            file.HasWriter = writable;
        }

        public string Path { get; }

        public long Length => Open()._file.Length;

        public int Read(long offset, Span<byte> buffer)
        {
            lock (_volume._gate)
            {
                _volume.Fault?.Invoke(new Operation(OperationKind.Read, Path, Open()._file.Id, (int)offset, Length: buffer.Length));
                var read = _file.Read(offset, buffer);
                _volume.BytesRead += read;
                return read;
            }
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            if (!bytes.IsEmpty)
            {
                _volume.Do(new Operation(OperationKind.Write, Path, Writable()._file.Id, (int)offset, bytes.ToArray()));
            }
        }

        public void Sync() => _volume.Do(new Operation(OperationKind.Sync, Path, Open()._file.Id));

        // What is not synced may be on the disk anyway.
        public void Drain(long offset, long length) => _volume.Draining?.Invoke(Path);

        public void SetLength(long bytes) => _volume.Do(new Operation(OperationKind.SetLength, Path, Writable()._file.Id, Length: (int)bytes));

        public IFileMap Map() => Open()._file.Map();

        public IWritableMap MapWritable() => new WritableMap(Writable());

        public void Store(int offset, byte[] bytes)
        {
            var unstamped = _volume.Unstamped?.Length == bytes.Length ? _volume.Unstamped : null;
            _volume.Do(new Operation(OperationKind.Store, Path, Writable()._file.Id, offset, bytes) { Unstamped = unstamped });
        }

        public void Dispose()
        {
            lock (_volume._gate)
            {
                if (!_closed)
                {
                    _closed = true;
                    _file.Handles--;
                    _file.HasWriter &= !_writable;
                }
            }
        }

        private Handle Open()
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            return this;
        }

        private Handle Writable() => _writable ? Open() : throw new UnauthorizedAccessException($"{Path} is open for reading");
    }

    /// <summary>What is stored in it is in the page cache when it is told; the stores before that are for <see cref="StoreCuts"/>.</summary>
    private sealed class WritableMap(Handle handle) : IWritableMap
    {
        private readonly byte[] _bytes = handle.Map().Span(0, (int)handle.Length).ToArray();

        public long Length => _bytes.Length;

        public ReadOnlySpan<byte> Span(long offset, int length) => _bytes.AsSpan((int)offset, length);

        public ReadOnlyMemory<byte> Memory(long offset, int length) => _bytes.AsMemory((int)offset, length);

        public Span<byte> WritableSpan(long offset, int length) => _bytes.AsSpan((int)offset, length);

        public void Wrote(long offset, int length) => handle.Store((int)offset, _bytes.AsSpan((int)offset, length).ToArray());

        public void Supply(long offset, long length)
        {
            // Memory has no pages to fault in.
        }
    }
}
