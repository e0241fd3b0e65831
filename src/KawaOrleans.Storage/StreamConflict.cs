namespace KawaOrleans.Storage;

/// <summary>Why a batch was not written: a stream is not at the revision that was expected, or has ended.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="Expected">What was expected of it.</param>
/// <param name="ActualRevision">The revision of its last event; −1: it has none.</param>
public sealed record StreamConflict(string Stream, ExpectedRevision Expected, long ActualRevision)
{
    /// <summary>What its last event says of it. Tombstoned: that alone is why, whatever was expected.</summary>
    public StreamState State { get; init; }

    internal static StreamConflict Ended(string stream, long revision) => new(stream, ExpectedRevision.Any, revision) { State = StreamState.Tombstoned };
}
