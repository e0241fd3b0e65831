using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Recovery;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Segments;

/// <summary>Where a writer stands: the next frame's place, and what each frame adds to index and content hash. Used by one thread at a time.</summary>
internal sealed class TailCursor(SegmentHeader header, RecoveredTail from, IStreamHeads before, long checkpointIntervalBytes)
{
    /// <summary>Fits the nearest cache with what else is at work there.</summary>
    private const int CopyStepBytes = 16 * 1024;

    private readonly uint _key = header.Identity.ChecksumKey;
    private readonly long _basePosition = header.BasePosition;
    private readonly DensePositions _positions = from.Positions;
    private readonly OpenStreams _streams = from.Streams;
    private readonly StreamNumbers _numbers = new(from.Streams, before);
    private readonly byte[] _hint = new byte[FileLayout.SectorBytes];
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

    private uint RelativePosition => (uint)(Position - _basePosition);

    /// <summary>Gives the batch that comes next its revisions, or answers what stands against it; then nothing has changed.</summary>
    /// <exception cref="SegmentDamagedException">What the look-up of a stream rests on does not verify; nothing has changed.</exception>
    public StreamConflict? Number(ReadOnlySpan<byte> batch, StreamExpectations expected) => _numbers.Number(batch, RelativePosition, expected);

    /// <summary>The revisions of the batch last numbered.</summary>
    public ReadOnlySpan<long> Revisions => _numbers.Revisions;

    /// <summary>Copies the unstamped frames of the batch just numbered to where they go, at <see cref="Offset"/>, and stamps them there.</summary>
    public AppendedBatch Append(ReadOnlySpan<byte> batch, Span<byte> target, long now, long groupStart)
    {
        LastTimestamp = Math.Max(now, LastTimestamp);
        var first = Position;
        var revisions = _numbers.Revisions;
        var copied = 0;
        for (var at = 0; at < batch.Length;)
        {
            // A step at a time, so that the headers to be stamped are still in the nearest cache.
            while (copied < at + FrameLayout.HeaderBytes)
            {
                var step = Math.Min(CopyStepBytes, batch.Length - copied);
                batch.Slice(copied, step).CopyTo(target[copied..]);
                copied += step;
            }

            at += Stamp(target[at..copied], revisions[(int)(Position - first)..], groupStart);
        }

        // Of a last frame longer than a step only the beginning is there.
        batch[copied..].CopyTo(target[copied..]);
        return new AppendedBatch(first, (int)(Position - first), LastTimestamp);
    }

    /// <summary>Stamps the frames whose headers are there, at least one; answers how far it got.</summary>
    private int Stamp(Span<byte> frames, ReadOnlySpan<long> revisions, long groupStart)
    {
        // Sums of lengths within a batch, and places within a file of 8 GiB at the most: nothing here can overflow.
        unchecked
        {
            var places = _positions.Room();
            var place = (uint)(Offset >> 3);
            var distanceAndPosition = FrameStamp.DistanceAndPosition(Offset, groupStart, RelativePosition);
            var timestamp = LastTimestamp;
            var key = _key;
            var hash = ContentHash;
            var stamped = 0;
            var at = 0;
            while (stamped < places.Length)
            {
                var header = frames.Slice(at, FrameLayout.HeaderBytes);
                hash = Segments.ContentHash.Add(hash, FrameStamp.Event(header, key, place, distanceAndPosition, revisions[stamped], timestamp));

                // Before the sync: readers look only below the published tail.
                places[stamped++] = place;
                var length = (BinaryPrimitives.ReadUInt32LittleEndian(header[FrameLayout.Length..]) + 7) & ~7U;
                at += (int)length;
                place += length >> 3;
                distanceAndPosition += (1UL << 32) + (length >> 3);
                if (at > frames.Length - FrameLayout.HeaderBytes)
                {
                    break;
                }
            }

            _positions.Added(stamped);
            Offset += at;
            Position += stamped;
            ContentHash = hash;
            return at;
        }
    }

    /// <summary>How much room a checkpoint takes at the most, or 0 when none can be written now.</summary>
    public int CheckpointRoom()
    {
        var room = Checkpoint.MaxFrameBytes(_positions.Count - _coveredPositions, UncoveredBytes) + StreamDelta.MaxBytes(_streams);
        return room > FreeBytes || room > FileLayout.MaxCheckpointBytes ? 0 : (int)room;
    }

    /// <summary>Writes a checkpoint frame, which opens a group at <see cref="Offset"/>; answers its length.</summary>
    public int StampCheckpoint(Span<byte> frame)
    {
        var checkpoint = new Checkpoint
        {
            CoveredOffset = Offset,
            Previous = LastCheckpoint,
            ContentHash = ContentHash,
            LastTimestamp = LastTimestamp,
            FrameLengths = _positions.LengthsFrom(_coveredPositions, Offset),
            Streams = StreamDelta.Of(_streams),
        };
        var body = checkpoint.Write(frame[FrameLayout.HeaderBytes..]);
        var length = FrameStamp.Other(frame, FrameKind.Checkpoint, body, _key, Offset, Offset, RelativePosition, LastTimestamp);
        LastCheckpoint = Offset;
        _coveredPositions = _positions.Count;
        _streams.Covered();
        Offset += length;
        return length;
    }

    /// <summary>The hint that names the last checkpoint, and the slot it goes to. Holds until the next one is asked for.</summary>
    public (long Slot, byte[] Sector) NextHint()
    {
        new CheckpointHint(++_hintSequence, LastCheckpoint).Write(_hint, _key);
        return (_hintSequence % 2 == 0 ? FileLayout.HintA : FileLayout.HintB, _hint);
    }
}
