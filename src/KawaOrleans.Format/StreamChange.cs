namespace KawaOrleans;

/// <summary>The batches by which a stream's metadata are set and streams are deleted. For applications that append by grain calls; the handles of
/// KawaOrleans.Client make them themselves.</summary>
public static class StreamChange
{
    /// <summary>The type of the events in a stream of metadata: <see cref="StreamMetadata.Decode"/> reads them.</summary>
    public const string MetadataType = "$metadata";

    /// <summary>The type of an event that deleted its stream.</summary>
    public const string DeletedType = "$deleted";

    /// <summary>The type of an event that ended its stream for ever.</summary>
    public const string TombstoneType = "$tombstone";

    /// <summary>One event in <see cref="StreamMetadata.StreamOf"/> that stream, which replaces the metadata before it.</summary>
    /// <exception cref="BatchRefusedException">No stream has such a name or such metadata.</exception>
    public static EventBatch SetMetadata(string stream, StreamMetadata metadata) => EventBatch.EncodeNamed([Checked(stream, metadata)]);

    /// <summary>The stream's metadata, and behind them the event that deletes the stream. Append it under the expectation that the stream's last revision
    /// is the one before <paramref name="revision"/>.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="metadata">Its metadata; what lies before the deletion, that included, is hidden in any case.</param>
    /// <param name="revision">The revision that the deleting event gets.</param>
    /// <exception cref="BatchRefusedException">No stream has such a name or such metadata.</exception>
    public static EventBatch Delete(string stream, StreamMetadata metadata, long revision)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        var hiding = metadata with { TruncateBefore = checked(revision + 1) };
        return EventBatch.EncodeNamed([Checked(stream, hiding), new EventData(stream, DeletedType, default)]);
    }

    /// <summary>The event that ends a stream for ever.</summary>
    /// <exception cref="BatchRefusedException">No stream has such a name.</exception>
    public static EventBatch Tombstone(string stream)
    {
        RefuseUnlessNamed(stream);
        return EventBatch.EncodeNamed([new EventData(stream, TombstoneType, default)]);
    }

    private static EventData Checked(string stream, StreamMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        RefuseUnlessNamed(stream);
        return metadata.WhyNot() is { } reason ? throw new BatchRefusedException($"Metadata of stream '{stream}': {reason}.") : metadata.ToEvent(stream);
    }

    private static void RefuseUnlessNamed(string stream)
    {
        if (Names.WhyNotText(stream) is { } reason)
        {
            throw new BatchRefusedException($"Stream '{stream}': {reason}.");
        }
    }
}
