using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Recovery;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Segments;

/// <summary>Where a writer stands: the next frame's place, and what each frame adds to index and content hash. Used by one thread at a time.</summary>
internal sealed class TailCursor(SegmentHeader header, RecoveredTail from, IStreamHeads before, long checkpointIntervalBytes)
{
    private readonly uint _key = header.Identity.ChecksumKey;
    private readonly long _basePosition = header.BasePosition;
    private DensePositions _positions = from.Positions;
    private OpenStreams _streams = from.Streams;
    private StreamNumbers _numbers = new(from.Streams, before);
    private readonly byte[] _hint = new byte[FileLayout.SectorBytes];
    private byte[] _lengths = [];
    private int _coveredPositions = from.CoveredPositions;
    private long _hintSequence = from.HintSequence;

    /// <summary>The offset of the next frame.</summary>
    public long Offset { get; private set; } = from.Tail.Offset;

    /// <summary>The position of the next event.</summary>
    public long Position { get; private set; } = from.Tail.Position;

    public long LastTimestamp { get; private set; } = from.Tail.LastTimestamp;

    public ulong ContentHash { get; private set; } = from.ContentHash;

    /// <summary>The offset of the last checkpoint; 0: none.</summary>
    public long LastCheckpoint { get; private set; } = from.LastCheckpoint;

    public Tail Tail => new(Position, Offset, LastTimestamp);

    public long FreeBytes => header.FileBytes - Offset;

    /// <summary>True when events lie behind the last checkpoint.</summary>
    public bool HasUncovered => _positions.Count > _coveredPositions;

    public bool IsCheckpointDue => HasUncovered && UncoveredBytes >= checkpointIntervalBytes;

    private long UncoveredBytes => Offset - Math.Max(LastCheckpoint, FileLayout.FirstFrame);

    private long MaxLengthBytes => Checkpoint.MaxLengthBytes(_positions.Count - _coveredPositions, UncoveredBytes);

    private uint RelativePosition => (uint)(Position - _basePosition);

    /// <summary>Copies the unstamped frames of the batch that comes next to where they go, at <see cref="Offset"/>, and gives them their
    /// revisions; or answers what stands against it, and nothing has changed but the target.</summary>
    /// <exception cref="SegmentDamagedException">What the look-up of a stream rests on does not verify; nothing has changed but the target.</exception>
    public StreamConflict? Number(ReadOnlySpan<byte> batch, Span<byte> target, StreamExpectations expected) => _numbers.Number(batch, target, expected);

    /// <summary>The revisions of the batch last numbered.</summary>
    public ReadOnlySpan<long> Revisions => _numbers.Revisions;

    /// <summary>Stamps the frames of the batch just numbered, where they lie.</summary>
    public AppendedBatch Stamp(Span<byte> frames, long now, long groupStart)
    {
        LastTimestamp = Math.Max(now, LastTimestamp);
        var first = Position;
        var revisions = _numbers.Revisions;
        for (var stamped = 0; stamped < revisions.Length; stamped = (int)(Position - first))
        {
            frames = frames[Stamp(frames, revisions[stamped..], groupStart)..];
        }

        return new AppendedBatch(first, revisions.Length, LastTimestamp);
    }

    /// <summary>Stamps as many frames as the index takes at once, at least one; answers how many bytes they are.</summary>
    private int Stamp(Span<byte> frames, ReadOnlySpan<long> revisions, long groupStart)
    {
        // Sums of lengths within a batch, and places within a file of 8 GiB at the most: nothing here can overflow.
        unchecked
        {
            var places = _positions.Room();
            places = places[..Math.Min(places.Length, revisions.Length)];
            var place = (uint)(Offset >> 3);
            var distanceAndPosition = FrameStamp.DistanceAndPosition(Offset, groupStart, RelativePosition);
            var timestamp = LastTimestamp;
            var key = _key;
            var hash = ContentHash;
            var at = 0;
            for (var i = 0; i < places.Length; i++)
            {
                var header = frames.Slice(at, FrameLayout.HeaderBytes);
                hash = Segments.ContentHash.Add(hash, FrameStamp.Event(header, key, place, distanceAndPosition, revisions[i], timestamp));

                // Before the sync: readers look only below the published tail.
                places[i] = place;
                var length = (BinaryPrimitives.ReadUInt32LittleEndian(header[FrameLayout.Length..]) + 7) & ~7U;
                at += (int)length;
                place += length >> 3;
                distanceAndPosition += (1UL << 32) + (length >> 3);
            }

            _positions.Added(places.Length);
            Offset += at;
            Position += places.Length;
            ContentHash = hash;
            return at;
        }
    }

    /// <summary>How much room a checkpoint takes at the most, or 0 when none can be written now.</summary>
    public int CheckpointRoom()
    {
        var room = Checkpoint.FrameBytes(MaxLengthBytes, _streams.MaxDeltaBytes);
        return room > FreeBytes || room > FileLayout.MaxCheckpointBytes ? 0 : (int)room;
    }

    /// <summary>Writes a checkpoint frame, which opens a group at <see cref="Offset"/>; answers its length.</summary>
    public int StampCheckpoint(Span<byte> frame)
    {
        if (_lengths.Length < MaxLengthBytes)
        {
            _lengths = new byte[MaxLengthBytes];
        }

        ReadOnlyMemory<byte> streams;
        lock (_streams.Gate)
        {
            streams = _streams.Cover(Offset);
        }

        var checkpoint = new Checkpoint
        {
            CoveredOffset = Offset,
            Previous = LastCheckpoint,
            ContentHash = ContentHash,
            LastTimestamp = LastTimestamp,
            Events = _positions.Count - _coveredPositions,
            Lengths = _lengths.AsMemory(0, _positions.WriteLengths(_coveredPositions, Offset, _lengths)),
            Streams = streams,
        };
        var body = checkpoint.Write(frame[FrameLayout.HeaderBytes..]);
        var length = FrameStamp.Other(frame, FrameKind.Checkpoint, body, _key, Offset, Offset, RelativePosition, LastTimestamp);
        LastCheckpoint = Offset;
        _coveredPositions = _positions.Count;
        Offset += length;
        return length;
    }

    /// <summary>Lets go of the index: the segment is written no more, and whoever still holds its writer holds nothing else.</summary>
    public void Forget()
    {
        _positions = new DensePositions("", []);
        _streams = new OpenStreams("");
        _numbers = new StreamNumbers(_streams, NoHeads.Instance);
        _lengths = [];
    }

    /// <summary>The hint that names the last checkpoint, and the slot it goes to. Holds until the next one is asked for.</summary>
    public (long Slot, byte[] Sector) NextHint()
    {
        new CheckpointHint(++_hintSequence, LastCheckpoint).Write(_hint, _key);
        return (_hintSequence % 2 == 0 ? FileLayout.HintA : FileLayout.HintB, _hint);
    }
}
