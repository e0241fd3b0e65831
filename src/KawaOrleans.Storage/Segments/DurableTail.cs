using System.Buffers;
using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Recovery;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>The end of a segment being written: stages the frames of one write group, then puts them on disk with one
/// positional write and one sync. Used by one thread at a time.</summary>
internal sealed class DurableTail
{
    private const int FirstStageBytes = 64 * 1024;

    private readonly SegmentHeader _header;
    private readonly uint _key;
    private readonly int _maxGroupBytes;
    private readonly long _checkpointIntervalBytes;
    private readonly List<int> _uncoveredLengths;
    private readonly List<long> _groupOffsets = [];
    private byte[] _stage = [];
    private long _groupStart;
    private int _staged;
    private long _position;
    private long _lastTimestamp;
    private ulong _contentHash;
    private long _lastCheckpoint;
    private long _stagedCheckpoint;
    private long _hintSequence;

    public DurableTail(SegmentHeader header, RecoveredTail from, long checkpointIntervalBytes)
    {
        _header = header;
        _checkpointIntervalBytes = checkpointIntervalBytes;
        _key = header.Identity.ChecksumKey;
        _maxGroupBytes = FileLayout.MaxGroupBytes(header.FileBytes);
        _groupStart = from.Tail.Offset;
        _position = from.Tail.Position;
        _lastTimestamp = from.Tail.LastTimestamp;
        _contentHash = from.ContentHash;
        _lastCheckpoint = from.LastCheckpoint;
        _hintSequence = from.HintSequence;
        _uncoveredLengths = [.. from.UncoveredLengths];
    }

    /// <summary>Where the next frame goes.</summary>
    private long NextOffset => _groupStart + _staged;

    public bool HasStaged => _staged > 0;

    /// <summary>True when events lie behind the last checkpoint.</summary>
    public bool HasUncovered => _uncoveredLengths.Count > 0;

    public long FreeBytes => _header.FileBytes - NextOffset;

    public bool Fits(int batchBytes) => batchBytes <= FreeBytes;

    /// <summary>True when the group at hand has no more room for the batch, but the next one would.</summary>
    public bool NeedsNextGroup(int batchBytes) => _staged > 0 && _staged + batchBytes > _maxGroupBytes;

    /// <summary>Opens a group with a checkpoint when one is due.</summary>
    public void StageCheckpointIfDue()
    {
        if (_staged == 0 && HasUncovered && _groupStart - Math.Max(_lastCheckpoint, FileLayout.FirstFrame) >= _checkpointIntervalBytes)
        {
            StageCheckpoint();
        }
    }

    /// <summary>Opens a group with a checkpoint if there is room; it is the frame that bounds recovery.</summary>
    public void StageCheckpoint()
    {
        var room = Checkpoint.MaxFrameBytes(_uncoveredLengths.Count, _groupStart - Math.Max(_lastCheckpoint, FileLayout.FirstFrame));
        if (room > FreeBytes || room > FileLayout.MaxCheckpointBytes)
        {
            return;
        }

        var checkpoint = new Checkpoint
        {
            CoveredOffset = _groupStart,
            Previous = _lastCheckpoint,
            ContentHash = _contentHash,
            LastTimestamp = _lastTimestamp,
            FrameLengths = _uncoveredLengths,
        };
        var frame = Reserve((int)room);
        var body = checkpoint.Write(frame[FrameLayout.HeaderBytes..]);
        _staged = FrameStamp.Other(frame, FrameKind.Checkpoint, body, _key, _groupStart, _groupStart, RelativePosition, _lastTimestamp);
        _stagedCheckpoint = _groupStart;
        _uncoveredLengths.Clear();
    }

    /// <summary>Adds a batch to the group; the caller has asked whether it fits.</summary>
    public AppendedBatch Stage(EventBatch batch, long now)
    {
        var source = batch.Bytes.Span;
        var frames = Reserve(source.Length);
        source.CopyTo(frames);
        _lastTimestamp = Math.Max(now, _lastTimestamp);
        var first = _position;
        for (var at = 0; at < frames.Length;)
        {
            var length = FrameLayout.Padded(BinaryPrimitives.ReadInt32LittleEndian(frames[(at + FrameLayout.Length)..]));
            var offset = NextOffset + at;
            var checksum = FrameStamp.Event(frames.Slice(at, length), _key, offset, _groupStart, RelativePosition, _lastTimestamp);
            _contentHash = ContentHash.Add(_contentHash, checksum);
            _uncoveredLengths.Add(length);
            _groupOffsets.Add(offset);
            _position++;
            at += length;
        }

        _staged += frames.Length;
        return new AppendedBatch(first, batch.Count, _lastTimestamp);
    }

    /// <summary>Puts the group on disk. After an exception this tail is not used again: what the file holds is unknown.</summary>
    /// <returns>The new end, and the offsets of the group's events.</returns>
    public (Tail Tail, IReadOnlyList<long> EventOffsets) Commit(IVolumeFile file)
    {
        file.Write(_groupStart, _stage.AsSpan(0, _staged));
        file.Sync();
        _groupStart += _staged;
        _staged = 0;
        if (_stagedCheckpoint != 0)
        {
            // Not synced: a hint may be lost, but it never names a checkpoint that is not on disk.
            var hint = new CheckpointHint(++_hintSequence, _stagedCheckpoint);
            file.Write(_hintSequence % 2 == 0 ? FileLayout.HintA : FileLayout.HintB, hint.Encode(_key));
            _lastCheckpoint = _stagedCheckpoint;
            _stagedCheckpoint = 0;
        }

        return (new Tail(_position, _groupStart, _lastTimestamp), _groupOffsets);
    }

    /// <summary>Ends the use of the offsets that <see cref="Commit"/> answered.</summary>
    public void ForgetGroup() => _groupOffsets.Clear();

    /// <summary>Gives the staging memory back while nobody appends.</summary>
    public void Rest()
    {
        if (_stage.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_stage);
            _stage = [];
        }
    }

    public ulong Hash => _contentHash;

    private uint RelativePosition => (uint)(_position - _header.BasePosition);

    private Span<byte> Reserve(int bytes)
    {
        if (_stage.Length < _staged + bytes)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstStageBytes, Math.Max(_staged + bytes, Math.Min(2 * _stage.Length, _maxGroupBytes))));
            _stage.AsSpan(0, _staged).CopyTo(larger);
            Rest();
            _stage = larger;
        }

        return _stage.AsSpan(_staged, bytes);
    }
}
