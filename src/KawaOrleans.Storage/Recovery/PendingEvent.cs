namespace KawaOrleans.Storage.Recovery;

/// <summary>What recovery keeps of an event until its batch proves to be whole.</summary>
/// <param name="Offset">Where its frame lies.</param>
/// <param name="Checksum">The frame's.</param>
/// <param name="Timestamp">The writer's time.</param>
/// <param name="Revision">Its revision.</param>
/// <param name="Stream">The number of its stream in the segment.</param>
/// <param name="State">What it says of its stream.</param>
internal readonly record struct PendingEvent(long Offset, uint Checksum, long Timestamp, long Revision, int Stream, StreamState State);
