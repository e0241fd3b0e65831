using KawaOrleans.Server.Protocol;
using Orleans.Runtime;
using Orleans.Storage;

namespace KawaOrleans.Server.ChainStore;

/// <summary>The embedded chain store: one directory on a local disk, shared by all silos of one host, a file for each record.
/// Every access holds the directory's lock, so that whatever is read is on disk. Not for network file systems.</summary>
internal sealed class FileChainStorage : IGrainStorage, IDisposable
{
    private static readonly TimeSpan UsualPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(4);

    private readonly string _directory;
    private readonly TimeProvider _time;
    private readonly TimeSpan _patience;

    // The callers of this process wait here in turn; only the first of them competes with other processes.
    private readonly SemaphoreSlim _turn = new(1);

    /// <param name="directory">Made if missing, with all above it.</param>
    /// <param name="time">For waits.</param>
    /// <param name="patience">How long to wait for the lock: 3 s unless given, less than the callers above wait.</param>
    public FileChainStorage(string directory, TimeProvider time, TimeSpan? patience = null)
    {
        _directory = Path.GetFullPath(directory);
        _time = time;
        _patience = patience ?? UsualPatience;
    }

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var state = StateOf(grainState);
        return Locked(Name(stateName, grainId), (path, name, _) => Fill(state, RecordFile.Read(path, name)));
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var state = StateOf(grainState);
        return Locked(Name(stateName, grainId), (path, name, held) =>
        {
            Compare(path, name, state.ETag);
            var next = new RecordFile(Guid.NewGuid(), state.State!.Content);
            held.BeginWriting();
            MakeDirectory(Path.GetDirectoryName(path)!);
            next.Write(path, name);
            held.EndWriting();
            Fill(state, next);
        });
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var state = StateOf(grainState);
        return Locked(Name(stateName, grainId), (path, name, held) =>
        {
            if (Compare(path, name, state.ETag))
            {
                held.BeginWriting();
                RecordFile.Remove(path);
                held.EndWriting();
            }

            Fill(state, null);
        });
    }

    public void Dispose() => _turn.Dispose();

    private static IGrainState<ChainRecord> StateOf<T>(IGrainState<T> state) => state as IGrainState<ChainRecord>
        ?? throw new NotSupportedException($"This storage keeps chains, catalogue and nodes of the event store, no {typeof(T)}.");

    /// <summary>The record's path below the directory: no two records share one, and none ends like a temporary file.</summary>
    private static string Name(string stateName, GrainId grainId)
    {
        var (type, key) = (grainId.Type.ToString()!, grainId.Key.ToString()!);
        return Names.WhyNotKey(type) is null && Names.WhyNotKey(key) is null && Names.WhyNotKey(stateName) is null && !stateName.Contains('.', StringComparison.Ordinal)
            ? Path.Combine(type, $"{key}.{stateName}")
            : throw new NotSupportedException($"This storage keeps chains, catalogue and nodes of the event store, not '{stateName}' of {grainId}.");
    }

    private static void Fill(IGrainState<ChainRecord> state, RecordFile? record)
    {
        state.State = new ChainRecord { Content = record?.Content ?? [] };
        state.ETag = record?.Tag.ToString("N");
        state.RecordExists = record is not null;
    }

    /// <summary>Whether there is a record; it is the one with this tag.</summary>
    /// <exception cref="InconsistentStateException">It has another tag, or there is one and should not, or the reverse.</exception>
    private static bool Compare(string path, string name, string? expected)
    {
        var found = RecordFile.Read(path, name)?.Tag.ToString("N");
        return found == expected
            ? found is not null
            : throw new InconsistentStateException($"Record '{name}' was changed by another.", found ?? "none", expected ?? "none");
    }

    private static void MakeDirectory(string directory)
    {
        if (!Directory.Exists(directory))
        {
            Directory.CreateDirectory(directory);
            DirectorySync.Sync(Path.GetDirectoryName(directory)!);
        }
    }

    /// <summary>Does blocking work under the lock, away from the caller's scheduler.</summary>
    private Task Locked(string name, Action<string, string, StoreLock> work) => Task.Run(async () =>
    {
        var started = _time.GetTimestamp();
        if (!await _turn.WaitAsync(_patience).ConfigureAwait(false))
        {
            throw Busy("requests of this process were before this one");
        }

        try
        {
            using var held = await Take(started).ConfigureAwait(false);
            if (held.WasLeftWriting())
            {
                SyncAll();
                held.EndWriting();
            }

            work(Path.Combine(_directory, name), name, held);
        }
        finally
        {
            _turn.Release();
        }
    });

    /// <summary>Takes the lock. Whoever waits for it holds the place behind it, so that a busy process cannot take it again and
    /// again past one that waits.</summary>
    private async Task<StoreLock> Take(long started)
    {
        MakeAll(_directory);
        using var place = await Take("lock.next", started).ConfigureAwait(false);
        return await Take("lock", started).ConfigureAwait(false);
    }

    private async Task<StoreLock> Take(string name, long started)
    {
        var pause = TimeSpan.FromMilliseconds(1);
        while (true)
        {
            if (StoreLock.TryTake(Path.Combine(_directory, name), out var whyNot) is { } held)
            {
                return held;
            }

            if (_time.GetElapsedTime(started) > _patience)
            {
                throw Busy(whyNot!);
            }

            await Task.Delay(pause, _time).ConfigureAwait(false);
            pause = pause < LongestPause ? pause * 2 : pause;
        }
    }

    private ChainStoreException Busy(string reason) => new(
        ChainStoreProblem.Away, $"The chain store's directory '{_directory}' was not free within {_patience.TotalSeconds:0} s: {reason} Retry.");

    /// <summary>Syncs what a holder that died may have left in the page cache only.</summary>
    private void SyncAll()
    {
        DirectorySync.Sync(_directory);
        foreach (var folder in Directory.GetDirectories(_directory))
        {
            DirectorySync.Sync(folder);
        }
    }

    private static void MakeAll(string directory)
    {
        if (Directory.Exists(directory))
        {
            return;
        }

        if (Path.GetDirectoryName(directory) is { } above)
        {
            MakeAll(above);
        }

        MakeDirectory(directory);
    }
}
