namespace KawaOrleans;

/// <summary>A stream's metadata as they were read.</summary>
/// <param name="Metadata">The metadata; <see cref="StreamMetadata.None"/> where nothing was ever said of the stream.</param>
/// <param name="Revision">Their revision, which counts how often they were set; −1: never.</param>
public sealed record StreamMetadataResult(StreamMetadata Metadata, long Revision)
{
    /// <summary>What to expect when they are set again, so that nobody's change in between is lost.</summary>
    public ExpectedRevision Expected => Revision < 0 ? ExpectedRevision.NoStream : ExpectedRevision.Exactly(Revision);
}
