using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Streams;

/// <summary>The heads of one log on this node: few runs over its older segments, and the segments that no run covers yet.</summary>
/// <param name="volume">Where the runs are kept.</param>
/// <param name="folder">The log's folder.</param>
/// <param name="logId">The log.</param>
/// <param name="segments">The log's segments on this node, as they are now.</param>
internal sealed class LogHeads(IVolume volume, string folder, Guid logId, Func<IEnumerable<Segment>> segments) : IDisposable
{
    private readonly Lock _merging = new();
    private volatile bool _closed;
    private volatile bool _mergeWanted;

    /// <summary>From the log's start on, one behind another; the oldest first. Replaced as a whole.</summary>
    private HeadRun[] _runs = [];

    /// <summary>Takes the runs found on disk: those that cover the log from its start on, and of two the one that reaches further. The others are
    /// of no use and are removed; what they held can be made again, and so can one that cannot be read, which stays until then.</summary>
    public void Load(IEnumerable<string> paths)
    {
        var found = new List<HeadRun>();
        foreach (var path in paths)
        {
            try
            {
                if (HeadRun.TryOpen(volume, path) is { } run && run.Layout.LogId == logId)
                {
                    found.Add(run);
                }
                else
                {
                    volume.Delete(path);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The medium, or its permissions: no reason to refuse the whole directory for what the segments hold too.
            }
        }

        var cover = new List<HeadRun>();
        while (found.Where(run => run.From == (cover.Count == 0 ? found.Min(first => first.From) : cover[^1].To)).MaxBy(run => run.To) is { } next && next.To > next.From)
        {
            cover.Add(next);
        }

        found.Except(cover).ToList().ForEach(run => volume.Delete(run.Path));
        Volatile.Write(ref _runs, [.. cover]);
    }

    /// <summary>The heads of all that lies before a position.</summary>
    /// <exception cref="HeadsMissingException">This node does not hold all of it.</exception>
    public IStreamHeads Before(long position) => new View(this, position);

    /// <summary>True when this node holds all that lies before a position.</summary>
    public bool HasBefore(long position)
    {
        try
        {
            LevelsBefore(position, Volatile.Read(ref _runs));
            return true;
        }
        catch (HeadsMissingException)
        {
            return false;
        }
    }

    /// <summary>Covers all segments that have ended with runs, and answers with all of these.</summary>
    /// <inheritdoc cref="MergeUnlessMerging" path="/exception"/>
    public IReadOnlyList<HeadRun> MergedRuns()
    {
        foreach (var segment in segments().Where(static s => s.State == SegmentState.Sealed && !s.IsServedByFooter))
        {
            segment.WriteFooter();
        }

        Merge();
        return Volatile.Read(ref _runs);
    }

    /// <summary>The run over a range, or null.</summary>
    public HeadRun? Find(long from, long to) => Array.Find(Volatile.Read(ref _runs), run => run.From == from && run.To == to);

    /// <summary>Takes a run that another node made. It displaces those that cover the same range, and all behind it.</summary>
    /// <exception cref="SegmentDamagedException">It does not verify.</exception>
    public void Adopt(string unfinished, string path)
    {
        lock (_merging)
        {
            if (_closed)
            {
                throw new StorageException($"{folder}: the node is closing, or the log has left it. Nothing was taken.");
            }

            if (HeadRun.TryOpen(volume, unfinished) is not { } received || received.Layout.LogId != logId || HeadMerge.PathOf(folder, received.From, received.To) != path)
            {
                throw new SegmentDamagedException(unfinished, 0, "a run of heads from another node does not verify");
            }

            var runs = _runs;
            volume.Rename(unfinished, path);
            volume.SyncDirectory(folder);
            var run = HeadRun.TryOpen(volume, path) ?? throw new SegmentDamagedException(path, 0, "a run of heads from another node does not read back as it was written");
            Volatile.Write(ref _runs, [.. runs.Where(known => known.To <= run.From), run]);
            foreach (var displaced in runs.Where(known => known.To > run.From && known.Path != path))
            {
                volume.Delete(displaced.Path);
            }
        }
    }

    /// <summary>Covers with runs what has ended and has its footer, one merge after another, unless that is being done already: then it
    /// goes on until nothing is left.</summary>
    /// <exception cref="DiskFullException">No room; look-ups go on in more places.</exception>
    /// <exception cref="SegmentDamagedException">A segment does not verify; look-ups go on as before.</exception>
    public void MergeUnlessMerging()
    {
        _mergeWanted = true;
        while (_mergeWanted && _merging.TryEnter())
        {
            try
            {
                MergeAll();
            }
            finally
            {
                _merging.Exit();
            }
        }
    }

    /// <summary>The same, and waits for who is doing it.</summary>
    /// <inheritdoc cref="MergeUnlessMerging" path="/exception"/>
    public void Merge()
    {
        lock (_merging)
        {
            MergeAll();
        }
    }

    /// <summary>Ends merging and waits for what is being written: the directory is about to be given free.</summary>
    public void Dispose()
    {
        _closed = true;
        lock (_merging)
        {
        }
    }

    /// <summary>Removes all runs: the log is gone from this node.</summary>
    public void Remove()
    {
        _closed = true;
        lock (_merging)
        {
            DropFrom(0);
        }
    }

    private void MergeAll()
    {
        _mergeWanted = false;
        while (!_closed && MergeNext())
        {
        }
    }

    /// <summary>Forgets a run that does not verify, and those behind it: what they held is still in the segments.</summary>
    private void Drop(HeadRun damaged)
    {
        lock (_merging)
        {
            if (Array.IndexOf(_runs, damaged) is var index and >= 0)
            {
                DropFrom(index);
            }
        }
    }

    private void DropFrom(int index)
    {
        var dropped = _runs[index..];
        Volatile.Write(ref _runs, _runs[..index]);
        Array.ForEach(dropped, run => volume.Delete(run.Path));
    }

    private bool MergeNext()
    {
        var runs = _runs;
        var fresh = new List<SegmentHeads>();
        for (var at = runs.Length == 0 ? Start(runs) : runs[^1].To; fresh.Count < RunMergePlan.MostSegments;)
        {
            var next = segments().FirstOrDefault(s => s.IsServedByFooter && s.Header.BasePosition == at && s.Tail.Position > at);
            if (next is null)
            {
                break;
            }

            fresh.Insert(0, new SegmentHeads(next, at = next.Tail.Position));
        }

        var (taken, merged) = RunMergePlan.Next([.. fresh.Select(s => s.Streams)], [.. runs.Reverse().Select(r => r.Streams)]);
        if (taken == 0)
        {
            return false;
        }

        var replaced = runs[^merged..];
        HeadRun run;
        try
        {
            run = HeadMerge.Run(volume, folder, logId, [.. fresh.TakeLast(taken), .. replaced.Reverse()]);
        }
        catch (SegmentDamagedException e) when (Array.Find(replaced, r => r.Path == e.Path) is { } damaged)
        {
            DropFrom(Array.IndexOf(runs, damaged));
            return true;
        }

        Volatile.Write(ref _runs, [.. runs[..^merged], run]);

        // Whoever still looks there holds the map, which outlives the name.
        Array.ForEach(replaced, old => volume.Delete(old.Path));
        return true;
    }

    /// <summary>Where the log begins: with its first run, or with the segment that says that it has none before it.</summary>
    private long Start(HeadRun[] runs) => runs.Length > 0
        ? runs[0].From
        : segments().Where(s => s.Header.Predecessor is null).Select(s => s.Header.BasePosition).DefaultIfEmpty().Min();

    /// <summary>Where to look for what lies before a position, the newest first.</summary>
    private List<IStreamHeads> LevelsBefore(long position, HeadRun[] runs)
    {
        var levels = new List<IStreamHeads>();
        var start = Start(runs);
        for (var at = position; at > start;)
        {
            if (Array.Find(runs, run => run.To == at) is { } run)
            {
                levels.Add(run);
                at = run.From;
            }
            else if (segments().Where(s => s.Header.BasePosition < at && s.State >= SegmentState.Fenced && s.Tail.Position >= at).MaxBy(s => s.Header.Identity.Epoch) is { } segment)
            {
                levels.Add(new SegmentHeads(segment, at));
                at = segment.Header.BasePosition;
            }
            else
            {
                throw new HeadsMissingException(folder, at);
            }
        }

        return levels;
    }

    private sealed class View : IStreamHeads
    {
        private readonly LogHeads _heads;
        private readonly long _position;
        private Found _found;

        public View(LogHeads heads, long position)
        {
            _heads = heads;
            _position = position;
            _found = Look();
        }

        public StreamHead? Find(StreamName name)
        {
            var found = Volatile.Read(ref _found);
            if (!ReferenceEquals(found.Runs, Volatile.Read(ref _heads._runs)))
            {
                // Merged meanwhile: fewer places to look in.
                Volatile.Write(ref _found, found = Look());
            }

            foreach (var level in found.Levels)
            {
                try
                {
                    if (level.Find(name) is { } head)
                    {
                        return head;
                    }
                }
                catch (SegmentDamagedException) when (level is HeadRun)
                {
                    _heads.Drop((HeadRun)level);
                    return Find(name);
                }
            }

            return null;
        }

        private Found Look()
        {
            var runs = Volatile.Read(ref _heads._runs);
            return new Found(runs, _heads.LevelsBefore(_position, runs));
        }

        private sealed record Found(HeadRun[] Runs, List<IStreamHeads> Levels);
    }
}
