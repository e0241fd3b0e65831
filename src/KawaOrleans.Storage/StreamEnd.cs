namespace KawaOrleans.Storage;

/// <summary>What is known of a stream where a segment ends.</summary>
/// <param name="LastRevision">The revision of its last event, here or before; −1: it has none.</param>
/// <param name="State">What that event says of it.</param>
/// <param name="MetadataPosition">The position of the last event in the stream of its metadata; −1: nothing was ever said of it.</param>
public readonly record struct StreamEnd(long LastRevision, StreamState State, long MetadataPosition);
