namespace KawaOrleans.Storage.Streams;

/// <summary>A stream's first event in a segment.</summary>
/// <param name="Hash">The hash of the stream's name.</param>
/// <param name="FirstRevision">The event's revision.</param>
/// <param name="First">Its relative position.</param>
internal readonly record struct BegunStream(uint Hash, long FirstRevision, uint First);
