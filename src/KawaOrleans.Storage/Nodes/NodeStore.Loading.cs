using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage;

// What a start finds in the data directory, and what is done with it in the background.
public sealed partial class NodeStore
{
    private void LoadLogs()
    {
        var found = DirectoryScan.Run(_volume, Path.Combine(_directory, LogsFolder));
        found.Strangers.ForEach(stranger => _untrusted[stranger.Path] = stranger);
        found.Chains.ForEach(chain => LoadChain(chain.LogId, chain.Folder));
        foreach (var runs in found.Runs.GroupBy(static run => run.LogId, static run => run.Path))
        {
            HeadsOf(runs.Key).Load(runs);
        }

        Parallel.ForEach(found.Segments, f => LoadSegment(f.LogId, f.Path));
    }

    private void LoadChain(Guid logId, string folder)
    {
        var path = Path.Combine(folder, SavedChain.FileName);
        try
        {
            var chain = SavedChain.Load(_volume, folder);
            if (chain?.LogId == logId)
            {
                _chains[logId] = chain;
                return;
            }

            Distrust(path, null, logId, $"{path}: it holds the chain of log {chain?.LogId:N}, not of the one its folder says. Restore the file from a copy, or remove it: the chain is learnt again.", unreadable: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MemoryPack.MemoryPackSerializationException)
        {
            var damaged = e is SegmentDamagedException or MemoryPack.MemoryPackSerializationException;
            Distrust(path, null, logId, damaged ? e.Message : new SegmentUnreadableException(path, e).Message, unreadable: !damaged);
        }
    }

    private void LoadSegment(Guid logId, string path)
    {
        var named = DirectoryScan.SegmentIdOf(path);
        try
        {
            var segment = SegmentLoader.LoadUnrecovered(_host, path, writable: true, header => DirectoryScan.WhyMisplaced(path, logId, header));
            _segments[(segment.Header.Identity.Id, segment.Header.Identity.Generation)] = segment;
            if (segment.State == SegmentState.Sealed)
            {
                FinishLater(segment);
            }
        }
        catch (StorageException e)
        {
            Distrust(path, named, logId, e.Message, e is SegmentUnreadableException or SegmentPoisonedException);
        }
    }

    private void RecoverSegment(Segment segment)
    {
        try
        {
            if (!_closing.IsCancellationRequested)
            {
                segment.Recover();
            }
        }
        catch (StorageException e)
        {
            var header = segment.Header;
            _segments.TryRemove((header.Identity.Id, header.Identity.Generation), out _);
            Distrust(segment.Path, header.Identity.Id, header.LogId, e.Message, e is SegmentUnreadableException or SegmentPoisonedException);
            segment.Dispose();
        }
    }

    /// <summary>Sees to the footer of a sealed segment in the background. On a thread of its own: it takes a tenth of a second and more, and
    /// appends wait for the pool, which has few threads on a small machine.</summary>
    private void FinishLater(Segment segment)
    {
        if (_finishing.TryAddCount())
        {
            _ = Task.Factory.StartNew(() => Finish(segment), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    /// <summary>True while something is under way in the background.</summary>
    internal bool IsFinishing => _finishing.CurrentCount > (_closing.IsCancellationRequested ? 0 : 1);

    /// <summary>Begins nothing more in the background, and waits for what is under way.</summary>
    private void StopFinishing()
    {
        if (!_closing.IsCancellationRequested)
        {
            _closing.Cancel();
            _finishing.Signal();
        }

        _finishing.Wait();
    }

    private void Finish(Segment segment)
    {
        try
        {
            if (!_closing.IsCancellationRequested)
            {
                segment.WriteFooter();
                MergeHeads(segment.Header.LogId);
            }
        }
        catch (Exception e) when (e is SegmentDamagedException or SegmentUnreadableException)
        {
            // Without a footer the segment is still served, each frame verified. What was found is told of the file it was found in: the footer
            // and the heads rest on other segments too, and this one may be the only good replica.
            var path = (e as SegmentDamagedException)?.Path ?? ((SegmentUnreadableException)e).Path;
            if (_segments.Values.FirstOrDefault(known => known.Path == path) is { } found)
            {
                Distrust(path, found.Header.Identity.Id, found.Header.LogId, e.Message, e is SegmentUnreadableException);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No room for the footer, or it could not be written: the frames are as good as before, the next start or verification tries again.
        }
        finally
        {
            _finishing.Signal();
        }
    }
}
