using System.Buffers.Binary;

namespace KawaOrleans.Format;

/// <summary>Where the parts of an event's body begin, one behind the other; the data reaches to its end.</summary>
internal readonly record struct EventParts(int Stream, int Type, int Metadata, int Data)
{
    /// <summary>Finds them in a frame; false also when one of its times is none that a clock shows, which no writer writes and every reader would fail at.</summary>
    public static bool TryFind(scoped in Frame frame, out EventParts parts) =>
        TryFind(frame.Body, frame.Traits, out parts)
        && IsTime(frame.Timestamp)
        && ((frame.Traits & FrameTraits.HasOccurred) == 0 || IsTime(BinaryPrimitives.ReadInt64LittleEndian(frame.Body[EventBody.FixedBytes..])));

    /// <summary>True for ticks from the year 1 to 9999.</summary>
    public static bool IsTime(long ticks) => ticks >= 0 && ticks <= DateTime.MaxValue.Ticks;

    /// <summary>Finds them; false when the lengths inside the body do not add up to its own.</summary>
    public static bool TryFind(ReadOnlySpan<byte> body, FrameTraits traits, out EventParts parts)
    {
        if (body.Length < EventBody.FixedBytes)
        {
            parts = default;
            return false;
        }

        parts = Of(body, traits);
        return parts.Metadata <= parts.Data && parts.Data <= body.Length;
    }

    /// <summary>Finds them in a body in which they have been found before.</summary>
    public static EventParts Of(ReadOnlySpan<byte> body, FrameTraits traits)
    {
        // Two lengths of 16 bits and one of 32: only the last sum can overflow, and then it lies before its own begin.
        unchecked
        {
            var lengths = body[..EventBody.FixedBytes];
            var stream = EventBody.FixedBytes + ((int)(traits & FrameTraits.HasOccurred) * (EventBody.OccurredBytes / (int)FrameTraits.HasOccurred));
            var type = stream + BinaryPrimitives.ReadUInt16LittleEndian(lengths[EventBody.StreamLength..]);
            var metadata = type + BinaryPrimitives.ReadUInt16LittleEndian(lengths[EventBody.TypeLength..]);
            return new EventParts(stream, type, metadata, metadata + BinaryPrimitives.ReadInt32LittleEndian(lengths[EventBody.MetadataLength..]));
        }
    }
}
