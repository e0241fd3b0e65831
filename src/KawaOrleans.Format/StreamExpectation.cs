namespace KawaOrleans;

/// <summary>What a writer expects of one stream, whether its batch writes to the stream or not.</summary>
/// <param name="Stream">The stream's name, or that of the stream with its metadata (<see cref="StreamMetadata.StreamOf"/>).</param>
/// <param name="Expected">The revision it is expected to be at.</param>
public readonly record struct StreamExpectation(string Stream, ExpectedRevision Expected);
