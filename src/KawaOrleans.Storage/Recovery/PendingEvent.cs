using KawaOrleans.Format;

namespace KawaOrleans.Storage.Recovery;

/// <summary>What recovery keeps of an event until its batch proves to be whole.</summary>
internal readonly record struct PendingEvent(long Offset, uint Checksum, long Timestamp, long Revision, uint StreamHash, byte[] Stream, StreamState State)
{
    /// <exception cref="SegmentDamagedException">The lengths inside the event do not add up.</exception>
    public static PendingEvent Of(Frame frame, string path) => EventFrame.TryOpen(frame, 0, out var e)
        ? new PendingEvent(frame.Offset, frame.StoredChecksum, frame.Timestamp, frame.Revision, frame.StreamHash, e.StreamUtf8.ToArray(), StreamStates.Of(frame.Traits))
        : throw new SegmentDamagedException(path, frame.Offset, "its inner lengths do not add up");
}
