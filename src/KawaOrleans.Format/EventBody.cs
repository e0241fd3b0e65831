using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace KawaOrleans.Format;

/// <summary>The envelope inside an event frame (docs/FORMAT.md, "Body"): lengths first, then id, occurred, stream, type, metadata, data.</summary>
internal static class EventBody
{
    public const int StreamLength = 0;    // u16
    public const int TypeLength = 2;      // u16
    public const int MetadataLength = 4;  // i32
    public const int Id = 8;              // 16 bytes, big-endian as in RFC 9562
    public const int FixedBytes = 24;     // then occurred (i64, only with HasOccurred), stream, type, metadata, data
    public const int OccurredBytes = 8;

    /// <summary>The body's length, or more than an int when it cannot be one.</summary>
    public static long LengthOf(EventData e) =>
        FixedBytes + (e.Occurred is null ? 0L : OccurredBytes) + Encoding.UTF8.GetByteCount(e.Stream)
        + Encoding.UTF8.GetByteCount(e.Type) + e.Metadata.Length + e.Data.Length;

    /// <summary>Writes the body and returns the stream's hash. <paramref name="body"/> has exactly <see cref="LengthOf"/> bytes.</summary>
    public static uint Write(EventData e, Span<byte> body)
    {
        e.Id.TryWriteBytes(body[Id..], bigEndian: true, out _);
        var rest = body[FixedBytes..];
        if (e.Occurred is { } occurred)
        {
            BinaryPrimitives.WriteInt64LittleEndian(rest, occurred.UtcTicks);
            rest = rest[OccurredBytes..];
        }

        var streamBytes = Encoding.UTF8.GetBytes(e.Stream, rest);
        var hash = HashStream(rest[..streamBytes]);
        rest = rest[streamBytes..];
        var typeBytes = Encoding.UTF8.GetBytes(e.Type, rest);
        rest = rest[typeBytes..];
        e.Metadata.Span.CopyTo(rest);
        e.Data.Span.CopyTo(rest[e.Metadata.Length..]);
        BinaryPrimitives.WriteUInt16LittleEndian(body[StreamLength..], (ushort)streamBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(body[TypeLength..], (ushort)typeBytes);
        BinaryPrimitives.WriteInt32LittleEndian(body[MetadataLength..], e.Metadata.Length);
        return hash;
    }

    /// <summary>The stream's name in a well-formed event frame.</summary>
    public static ReadOnlySpan<byte> StreamOf(ReadOnlySpan<byte> frame)
    {
        var start = FrameLayout.HeaderBytes + FixedBytes + (((FrameTraits)frame[FrameLayout.Traits] & FrameTraits.HasOccurred) != 0 ? OccurredBytes : 0);
        return frame.Slice(start, BinaryPrimitives.ReadUInt16LittleEndian(frame[(FrameLayout.HeaderBytes + StreamLength)..]));
    }

    public static uint HashStream(ReadOnlySpan<byte> streamUtf8) => unchecked((uint)XxHash3.HashToUInt64(streamUtf8));

    /// <summary>Why these bytes are no body a writer may accept, or null when they are one.</summary>
    public static string? WhyNot(ReadOnlySpan<byte> body, FrameTraits traits, uint streamHash)
    {
        if (!EventParts.TryFind(body, traits, out var parts))
        {
            return "the lengths inside the event do not add up to its own";
        }

        if (WhyNotNamed(body, parts, traits) is { } badName)
        {
            return badName;
        }

        // A time that no DateTimeOffset holds would be stored for ever and fail every reader.
        if ((traits & FrameTraits.HasOccurred) != 0
            && BinaryPrimitives.ReadInt64LittleEndian(body[FixedBytes..]) is var ticks && !EventParts.IsTime(ticks))
        {
            return $"the occurred time, {ticks} ticks, is before the year 1 or after 9999";
        }

        return HashStream(body[parts.Stream..parts.Type]) == streamHash ? null : "the stream hash is not that of the stream name";
    }

    private static string? WhyNotNamed(ReadOnlySpan<byte> body, EventParts parts, FrameTraits traits)
    {
        var stream = body[parts.Stream..parts.Type];
        var type = body[parts.Type..parts.Metadata];
        if (SystemEvent.IsMeant(stream, type, traits))
        {
            return SystemEvent.WhyNot(stream, type, traits, body[parts.Metadata..parts.Data], body[parts.Data..]);
        }

        if (Names.WhyNotText(stream) is { } badStream)
        {
            return $"stream name: {badStream}";
        }

        return Names.WhyNotText(type) is { } badType ? $"type name: {badType}" : null;
    }
}
