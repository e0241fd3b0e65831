namespace KawaOrleans.Storage;

/// <summary>What became of a batch that expected something of streams.</summary>
/// <param name="Appended">Where it is, if it was written.</param>
/// <param name="Revisions">The revision of each of its events in that event's stream; empty if it was not written.</param>
/// <param name="Conflict">Why it was not written, or null.</param>
public readonly record struct ExpectedAppend(AppendedBatch Appended, IReadOnlyList<long> Revisions, StreamConflict? Conflict);
