namespace KawaOrleans.Storage;

/// <summary>Why a batch was not written: a stream is not at the revision that was expected.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="Expected">What was expected of it.</param>
/// <param name="ActualRevision">The revision of its last event; −1: it has none.</param>
public sealed record StreamConflict(string Stream, ExpectedRevision Expected, long ActualRevision);
