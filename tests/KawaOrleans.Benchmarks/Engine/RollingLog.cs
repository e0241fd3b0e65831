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
    private int _chainVersion = 1;

    public RollingLog(NodeStore store, Guid logId, long fileBytes, Durability durability)
    {
        _store = store;
        _logId = logId;
        _fileBytes = fileBytes;
        _durability = durability;
        (_segment, _writer) = Open(basePosition: 0, timestampFloor: 0);
    }

    public SegmentWriter Writer => _writer;

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

        PrepareNext();
        if (last)
        {
            Roll();
        }
    }

    /// <summary>Allocates the next file in the background once three quarters are used.</summary>
    public void PrepareNext()
    {
        if (_spare is null && _writer.IsThreeQuartersFull)
        {
            _spare = Task.Run(() => _store.PrepareSpare(_logId, _fileBytes));
        }
    }

    /// <summary>Ends the segment where it is and begins the next.</summary>
    public void Roll()
    {
        // Waited for, or the roll would make a second file beside the one in the making.
        _spare?.GetAwaiter().GetResult();
        _spare = null;
        var end = _segment.Fence(_chainVersion);
        _segment.Seal(end.Position);
        (_segment, _writer) = Open(end.Position, end.LastTimestamp);
    }

    private (Segment Segment, SegmentWriter Writer) Open(long basePosition, long timestampFloor)
    {
        var segment = _store.Create(Segments.Header(_fileBytes, basePosition, epoch: _chainVersion) with
        {
            LogId = _logId,
            ChainVersion = _chainVersion,
            TimestampFloor = timestampFloor,
        });
        _store.SaveChain(new SavedChain(_logId, "bench", ++_chainVersion, new byte[64]));
        return (segment, segment.OpenWriter(NodeId, _durability));
    }
}
