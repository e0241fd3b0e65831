using KawaOrleans.Format;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine;

/// <summary>One log on one node: appends, prepares the next file ahead, rolls. What a primary does, without the network.</summary>
internal sealed class RollingLog
{
    private static readonly Guid NodeId = new("20000000-0000-0000-0000-000000000001");

    private readonly NodeStore _store;
    private readonly Guid _logId;
    private readonly long _fileBytes;
    private readonly Durability _durability;
    private Segment _segment;
    private SegmentWriter _writer;
    private Task? _spare;
    private Task _sealing = Task.CompletedTask;
    private (Segment Segment, long End)? _ended;
    private Guid _nextId = Guid.NewGuid();
    private int _chainVersion = 1;

    public RollingLog(NodeStore store, Guid logId, long fileBytes, Durability durability)
    {
        _store = store;
        _logId = logId;
        _fileBytes = fileBytes;
        _durability = durability;
        (_segment, _writer) = Open(predecessor: null, basePosition: 0, timestampFloor: 0);
    }

    public SegmentWriter Writer => _writer;

    /// <summary>True when the segments that ended are sealed and have their footers.</summary>
    public bool IsSettled => _ended is null && _sealing.IsCompleted;

    /// <summary>Appends; with <paramref name="last"/> the segment is then ended and the next begun.</summary>
    public void Append(EventBatch batch, bool last)
    {
        if (_writer is MappedWriter mapped)
        {
            mapped.Append(batch);
        }
        else
        {
            Segments.Append(_writer, batch);
        }

        SealEnded();
        PrepareNext();
        if (last)
        {
            Roll();
        }
    }

    /// <summary>Has the next file made in the background once a quarter is used.</summary>
    public void PrepareNext()
    {
        if (_spare is null && _writer.IsQuarterFull)
        {
            _spare = Task.Factory.StartNew(
                () => _store.PrepareSpare(_logId, _nextId, _fileBytes, _durability), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            _ = _spare.ContinueWith(_ => _store.WriteSpareThrough(_logId), CancellationToken.None, TaskContinuationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    /// <summary>Ends the segment where it is and begins the next. Between the last append there and the first here lie: the fence's
    /// sync, the claim's, and, side by side, those of the saved chain and of the opening. Sealing and the footer follow behind that append:
    /// beside it, their syncs and the growing of the file made it wait five times as long.</summary>
    public void Roll()
    {
        // Waited for, or the roll would make a second file beside the one in the making.
        _spare?.GetAwaiter().GetResult();
        _spare = null;
        SealEnded();
        var (ended, end) = (_segment, _segment.Fence(_chainVersion));
        (_segment, _writer) = Open(ended.Header.Identity.Id, end.Position, end.LastTimestamp);
        _ended = (ended, end.Position);
    }

    /// <summary>Waits for the seals under way.</summary>
    public void Settle()
    {
        SealEnded();
        _sealing.GetAwaiter().GetResult();
    }

    private void SealEnded()
    {
        if (_ended is var (segment, end))
        {
            _ended = null;
            _sealing = _sealing.ContinueWith(_ =>
            {
                segment.Seal(end);
                segment.WriteFooter();
            }, CancellationToken.None, TaskContinuationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    private (Segment Segment, SegmentWriter Writer) Open(Guid? predecessor, long basePosition, long timestampFloor)
    {
        var header = Segments.Header(_fileBytes, basePosition, epoch: _chainVersion);
        var segment = _store.Create(
            header with
            {
                Identity = new SegmentIdentity(_nextId, header.Identity.Generation, header.Identity.Epoch),
                LogId = _logId,
                ChainVersion = _chainVersion,
                Predecessor = predecessor,
                TimestampFloor = timestampFloor,
            },
            _durability);
        _nextId = Guid.NewGuid();
        var chain = new SavedChain(_logId, "bench", ++_chainVersion, new byte[300]);
        var saving = Task.Run(() => _store.SaveChain(chain));
        var writer = segment.OpenWriter(NodeId, _durability);
        saving.GetAwaiter().GetResult();
        return (segment, writer);
    }
}
