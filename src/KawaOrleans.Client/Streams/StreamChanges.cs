namespace KawaOrleans.Client;

/// <summary>Sets the metadata of one stream and deletes it. The writer decides; what it has to be told is read before and expected of it.</summary>
internal sealed class StreamChanges(string stream, ILog log, StreamReader reader)
{
    /// <summary>See <see cref="IStreamHandle.SetMetadataAsync"/>.</summary>
    public async Task<AppendResult> SetMetadataAsync(StreamMetadata metadata, ExpectedRevision expected, CancellationToken cancellation)
    {
        // The stream itself is named too: one that has ended takes no metadata either.
        var expectations = StreamExpectations.Of(
            new StreamExpectation(StreamMetadata.StreamOf(stream), expected), new StreamExpectation(stream, ExpectedRevision.Any));
        return OfFirst(await log.AppendAsync(StreamChange.SetMetadata(stream, metadata), expectations, cancellation).ConfigureAwait(false));
    }

    /// <summary>See <see cref="IStreamHandle.DeleteAsync"/>.</summary>
    public async Task<AppendResult> DeleteAsync(ExpectedRevision expected, CancellationToken cancellation)
    {
        while (true)
        {
            var last = await reader.LastOfAllAsync(cancellation).ConfigureAwait(false);
            var state = StreamOutlook.StateAfter(last);
            if (last is null)
            {
                return new RevisionConflict(stream, expected.Allows(-1) ? ExpectedRevision.StreamExists : expected, -1);
            }

            if (state == StreamState.Tombstoned)
            {
                return new StreamTombstoned(stream, last.Revision);
            }

            if (!expected.Allows(last.Revision, state))
            {
                return new RevisionConflict(stream, expected, last.Revision) { IsDeleted = state == StreamState.Deleted };
            }

            if (state == StreamState.Deleted)
            {
                return new Appended(last.Position, 1, last.Recorded) { IsRepeat = true, Revisions = [last.Revision] };
            }

            var before = await reader.MetadataAsync(cancellation).ConfigureAwait(false);
            var expectations = StreamExpectations.Of(
                new StreamExpectation(stream, ExpectedRevision.Exactly(last.Revision)), new StreamExpectation(StreamMetadata.StreamOf(stream), before.Expected));
            var result = await log.AppendAsync(StreamChange.Delete(stream, before.Metadata, last.Revision + 1), expectations, cancellation).ConfigureAwait(false);
            if (result is not RevisionConflict)
            {
                return OfFirst(result);
            }

            // Somebody appended, or set metadata, in between. What is still as the caller expects it is deleted as it is now.
        }
    }

    /// <summary>See <see cref="IStreamHandle.TombstoneAsync"/>.</summary>
    public Task<AppendResult> TombstoneAsync(ExpectedRevision expected, CancellationToken cancellation) =>
        log.AppendAsync(StreamChange.Tombstone(stream), StreamExpectations.Of(new StreamExpectation(stream, expected)), cancellation);

    /// <summary>The result without the revision of the stream that was named only to be held to something.</summary>
    private static AppendResult OfFirst(AppendResult result) =>
        result is Appended { Revisions: [var first, ..] } appended ? appended with { Revisions = [first] } : result;
}
