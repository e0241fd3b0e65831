using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Recovery;

/// <summary>Takes the frames that follow a tail, as a file or another replica has them: whether each follows the one before, and what all of
/// them add to index, streams and content hash. A batch counts once its last event is there.</summary>
internal sealed class FrameIntake(string path, DensePositions positions, OpenStreams streams)
{
    private readonly List<PendingEvent> _pending = [];
    private int _streamsBeforePending;

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
            Pend(frame);
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

    /// <summary>Forgets the batch whose last event did not come.</summary>
    public void DropPending()
    {
        if (_pending.Count > 0)
        {
            lock (streams.Gate)
            {
                streams.TakeBack(_streamsBeforePending);
            }

            _pending.Clear();
        }
    }

    private void Pend(Frame frame)
    {
        if (!EventFrame.TryOpen(frame, 0, out var e))
        {
            throw new SegmentDamagedException(path, frame.Offset, "its inner lengths or times make no sense");
        }

        lock (streams.Gate)
        {
            _streamsBeforePending = _pending.Count == 0 ? streams.Count : _streamsBeforePending;
            var stream = streams.Find(frame.StreamHash, e.StreamUtf8);
            stream = stream >= 0 ? stream : streams.Begin(frame.StreamHash, e.StreamUtf8, frame.Revision, OpenStreams.NotKnown);
            _pending.Add(new PendingEvent(frame.Offset, frame.StoredChecksum, frame.Timestamp, frame.Revision, stream, StreamStates.Of(frame.Traits)));
        }
    }

    private void Take(PendingEvent frame)
    {
        lock (streams.Gate)
        {
            if (streams.Add(frame.Stream) is var next && next != frame.Revision)
            {
                throw new SegmentDamagedException(path, frame.Offset, $"revision {frame.Revision} of a stream where {next} comes next");
            }

            streams.SetState(frame.Stream, frame.State);
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
