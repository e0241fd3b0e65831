using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Recovery;

/// <summary>Takes the frames that follow a tail, as a file or another replica has them: whether each follows the one before, and what all of
/// them add to index, streams and content hash. A batch counts once its last event is there.</summary>
internal sealed class FrameIntake(string path, DensePositions positions, OpenStreams streams)
{
    private readonly List<PendingEvent> _pending = [];

    public ulong ContentHash { get; set; } = Segments.ContentHash.Empty;

    public long LastTimestamp { get; set; }

    /// <summary>The offset of the last checkpoint; 0: none.</summary>
    public long LastCheckpoint { get; set; }

    /// <summary>How many events the last checkpoint covers.</summary>
    public int CoveredPositions { get; set; }

    /// <summary>Where the write group at hand begins; 0: no frame was taken.</summary>
    public long GroupStart { get; set; }

    /// <summary>Whether a whole frame can come next.</summary>
    public bool Follows(Frame frame) =>
        (frame.Kind == FrameKind.Event || _pending.Count == 0)
        && frame.Kind is not (FrameKind.Gap or FrameKind.Footer)
        && frame.RelativePosition == (uint)(positions.Count + _pending.Count)
        && frame.Timestamp >= LastTimestamp
        && (frame.GroupStart == frame.Offset || (GroupStart != 0 && frame.GroupStart == GroupStart));

    /// <summary>Takes a frame that follows; true when the tail lies behind it.</summary>
    /// <exception cref="SegmentDamagedException">It contradicts itself or those before it.</exception>
    public bool Take(Frame frame)
    {
        GroupStart = frame.GroupStart;
        if (frame.Kind == FrameKind.Event)
        {
            _pending.Add(PendingEvent.Of(frame, path));
            if ((frame.Traits & FrameTraits.LastOfBatch) == 0)
            {
                return false;
            }

            _pending.ForEach(Take);
            _pending.Clear();
            return true;
        }

        if (frame.Kind == FrameKind.Checkpoint)
        {
            TakeCheckpoint(frame);
            return true;
        }

        return false;
    }

    private void Take(PendingEvent frame)
    {
        lock (streams.Gate)
        {
            var ordinal = streams.Find(frame.StreamHash, frame.Stream);
            if (ordinal < 0)
            {
                ordinal = streams.Begin(frame.StreamHash, frame.Stream, frame.Revision, OpenStreams.NotKnown);
            }

            if (streams.Add(ordinal) is var next && next != frame.Revision)
            {
                throw new SegmentDamagedException(path, frame.Offset, $"revision {frame.Revision} of a stream where {next} comes next");
            }
        }

        positions.Add(frame.Offset);
        ContentHash = Segments.ContentHash.Add(ContentHash, frame.Checksum);
        LastTimestamp = frame.Timestamp;
    }

    private void TakeCheckpoint(Frame frame)
    {
        lock (streams.Gate)
        {
            if (Checkpoint.Read(frame) is not { } checkpoint
                || checkpoint.Previous != LastCheckpoint
                || checkpoint.ContentHash != ContentHash
                || !LengthsAgree(checkpoint)
                || !checkpoint.Streams.Span.SequenceEqual(streams.Cover(frame.Offset).Span))
            {
                throw new SegmentDamagedException(path, frame.Offset, "a checkpoint contradicts the frames before it");
            }

            LastCheckpoint = frame.Offset;
            CoveredPositions = positions.Count;
        }
    }

    private bool LengthsAgree(Checkpoint checkpoint)
    {
        var lengths = new byte[Checkpoint.MaxLengthBytes(positions.Count - CoveredPositions, checkpoint.CoveredOffset)];
        return checkpoint.Lengths.Span.SequenceEqual(lengths.AsSpan(0, positions.WriteLengths(CoveredPositions, checkpoint.CoveredOffset, lengths)));
    }
}
