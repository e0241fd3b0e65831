using System.Text;

namespace KawaOrleans.Format;

/// <summary>The events of the system's own (docs/FORMAT.md, "Events of the system"): a stream's metadata, its deletion, its tombstone. Their types begin
/// with <c>$</c>, which no user's may; each is checked by the writer as any event is.</summary>
internal static class SystemEvent
{
    private const FrameTraits Ending = FrameTraits.DeletesStream | FrameTraits.EndsStream;

    /// <summary>The flags that an event of this type has.</summary>
    public static FrameTraits TraitsOf(string type) => type switch
    {
        StreamChange.DeletedType => FrameTraits.DeletesStream,
        StreamChange.TombstoneType => FrameTraits.EndsStream,
        _ => FrameTraits.None,
    };

    /// <summary>True when a name or a flag says that the event is the system's.</summary>
    public static bool IsMeant(ReadOnlySpan<byte> stream, ReadOnlySpan<byte> type, FrameTraits traits) =>
        (traits & Ending) != 0 || stream is [(byte)'$', ..] || type is [(byte)'$', ..];

    /// <summary>Why it may not be written, or null when it may.</summary>
    public static string? WhyNot(ReadOnlySpan<byte> stream, ReadOnlySpan<byte> type, FrameTraits traits, ReadOnlySpan<byte> metadata, ReadOnlySpan<byte> data)
    {
        if (stream.StartsWith(StreamMetadata.PrefixUtf8))
        {
            return WhyNotMetadata(stream, type, traits, data);
        }

        if (Names.WhyNotText(stream) is { } badStream)
        {
            return $"stream name: {badStream}";
        }

        var expected = type.SequenceEqual("$deleted"u8) ? FrameTraits.DeletesStream : type.SequenceEqual("$tombstone"u8) ? FrameTraits.EndsStream : FrameTraits.None;
        if (expected == FrameTraits.None)
        {
            return Names.WhyNotText(type) is { } badType
                ? $"type name: {badType}"
                : $"only an event of type '{StreamChange.DeletedType}' deletes its stream, and one of type '{StreamChange.TombstoneType}' ends it";
        }

        if ((traits & (Ending | FrameTraits.LastOfBatch)) != (expected | FrameTraits.LastOfBatch))
        {
            return $"an event of type '{StreamChange.DeletedType}' or '{StreamChange.TombstoneType}' has the flag of its type, no other such flag, and is the last of its batch";
        }

        return metadata.IsEmpty && data.IsEmpty ? null : $"an event of type '{StreamChange.DeletedType}' or '{StreamChange.TombstoneType}' has neither data nor metadata";
    }

    private static string? WhyNotMetadata(ReadOnlySpan<byte> stream, ReadOnlySpan<byte> type, FrameTraits traits, ReadOnlySpan<byte> data)
    {
        if (Names.WhyNotText(stream[StreamMetadata.Prefix.Length..]) is { } reason)
        {
            return $"stream name: behind '{StreamMetadata.Prefix}' comes a stream's name: {reason}";
        }

        if (!type.SequenceEqual("$metadata"u8) || (traits & Ending) != 0)
        {
            return $"a stream '{StreamMetadata.Prefix}…' holds events of type '{StreamChange.MetadataType}' and no others";
        }

        return StreamMetadata.Decode(data, default) is { } metadata
            ? metadata.WhyNot() is { } wrong ? $"metadata of a stream: {wrong}" : null
            : $"the {data.Length} bytes are no metadata of a stream that this version knows";
    }
}
