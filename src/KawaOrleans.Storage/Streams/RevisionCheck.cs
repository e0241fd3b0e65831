namespace KawaOrleans.Storage.Streams;

/// <summary>Whether a batch may be written, given where its streams are.</summary>
internal static class RevisionCheck
{
    /// <summary>The first expectation that does not hold, or null when all do.</summary>
    /// <param name="expected">What the batch expects.</param>
    /// <param name="lastRevisions">The last revision of each stream named, in the same order; −1: it has no event.</param>
    /// <param name="states">What the last event of each says of it.</param>
    public static StreamConflict? FirstConflict(StreamExpectations expected, ReadOnlySpan<long> lastRevisions, ReadOnlySpan<StreamState> states)
    {
        for (var i = 0; i < expected.Count; i++)
        {
            if (!expected.ExpectedOf(i).Allows(lastRevisions[i], states[i]))
            {
                var (stream, revision) = expected.All[i];
                return new StreamConflict(stream, revision, lastRevisions[i]) { State = states[i] };
            }
        }

        return null;
    }
}
