using System.Buffers.Binary;
using KawaOrleans.Format;

namespace KawaOrleans;

/// <summary>
/// Events encoded once, to be appended all together or not at all. The bytes are frames in their final layout, not yet stamped:
/// each begins with the hash of what was encoded, from which the writer makes the checksum without looking at the body again.
/// </summary>
/// <remarks>Bytes that change between here and the disk, by whatever hand, are found by every reader: they cannot be read back.</remarks>
public sealed class EventBatch
{
    private EventBatch(ReadOnlyMemory<byte> bytes, int count, int largestEventBytes)
    {
        Bytes = bytes;
        Count = count;
        LargestEventBytes = largestEventBytes;
    }

    /// <summary>The unstamped frames, one after another.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>How many events; at least one.</summary>
    public int Count { get; }

    /// <summary>The stored size of the largest event, padding included.</summary>
    public int LargestEventBytes { get; }

    /// <summary>Encodes one event.</summary>
    /// <exception cref="BatchRefusedException">A name or a size is out of bounds.</exception>
    public static EventBatch Of(EventData newEvent) => Encode([newEvent]);

    /// <summary>Encodes the events in this order.</summary>
    /// <exception cref="BatchRefusedException">No events, or one whose name or size is out of bounds, or too many bytes together.</exception>
    public static EventBatch Encode(IReadOnlyList<EventData> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        for (var i = 0; i < events.Count; i++)
        {
            RefuseUnlessNamed(events[i], i);
        }

        return EncodeNamed(events);
    }

    /// <summary>The same for events whose names were checked: the system's own bear names that users' cannot.</summary>
    internal static EventBatch EncodeNamed(IReadOnlyList<EventData> events)
    {
        if (events.Count == 0)
        {
            throw new BatchRefusedException("A batch has at least one event; this one is empty.");
        }

        var total = 0L;
        var lengths = new int[events.Count];
        for (var i = 0; i < events.Count; i++)
        {
            lengths[i] = CheckedFrameLength(events[i], i);
            total += FrameLayout.Padded(lengths[i]);
        }

        if (total > Limits.MaxBatchBytes)
        {
            throw new BatchRefusedException(
                $"A batch takes at most {Limits.MaxBatchBytes} bytes as stored; these {events.Count} events take {total}. Split the batch.");
        }

        var bytes = new byte[total];
        var offset = 0;
        var largest = 0;
        for (var i = 0; i < events.Count; i++)
        {
            var padded = FrameLayout.Padded(lengths[i]);
            WriteFrame(events[i], lengths[i], bytes.AsSpan(offset, padded), last: i == events.Count - 1);
            offset += padded;
            largest = Math.Max(largest, padded);
        }

        return new EventBatch(bytes, events.Count, largest);
    }

    /// <summary>Takes bytes that someone else encoded and checks all of what a writer relies on.</summary>
    /// <exception cref="BatchRefusedException">The bytes are no batch; the message says where and why.</exception>
    public static EventBatch Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            throw new BatchRefusedException("A batch has at least one event; this one is empty.");
        }

        if (bytes.Length > Limits.MaxBatchBytes)
        {
            throw new BatchRefusedException($"A batch takes at most {Limits.MaxBatchBytes} bytes as stored; this one takes {bytes.Length}. Split the batch.");
        }

        var count = 0;
        var largest = 0;
        for (var rest = bytes.Span; !rest.IsEmpty; count++)
        {
            var reason = UnstampedFrame.WhyNot(rest, out var padded, out var endsBatch)
                ?? (endsBatch == (padded == rest.Length) ? null : "the last event of a batch, and only that one, is marked as such")
                ?? UnstampedFrame.WhyChanged(rest[..padded]);
            if (reason is not null)
            {
                throw new BatchRefusedException($"Event {count} of the batch, at byte {bytes.Length - rest.Length}: {reason}.");
            }

            largest = Math.Max(largest, padded);
            rest = rest[padded..];
        }

        return new EventBatch(bytes, count, largest);
    }

    private static void RefuseUnlessNamed(EventData e, int index)
    {
        if (Names.WhyNotText(e.Stream) is { } badStream)
        {
            throw new BatchRefusedException($"Event {index}: stream name: {badStream}.");
        }

        if (Names.WhyNotText(e.Type) is { } badType)
        {
            throw new BatchRefusedException($"Event {index}: type name: {badType}.");
        }
    }

    private static int CheckedFrameLength(EventData e, int index)
    {
        var length = FrameLayout.HeaderBytes + EventBody.LengthOf(e);
        return length <= Limits.MaxEventBytes
            ? (int)length
            : throw new BatchRefusedException($"Event {index}: an event takes at most {Limits.MaxEventBytes} bytes as stored; this one takes {length}.");
    }

    private static void WriteFrame(EventData e, int length, Span<byte> frame, bool last)
    {
        var traits = (last ? FrameTraits.LastOfBatch : FrameTraits.None) | (e.Occurred is null ? FrameTraits.None : FrameTraits.HasOccurred)
            | SystemEvent.TraitsOf(e.Type);
        BinaryPrimitives.WriteInt32LittleEndian(frame[FrameLayout.Length..], length);
        frame[FrameLayout.Kind] = (byte)FrameKind.Event;
        frame[FrameLayout.Traits] = (byte)traits;
        var hash = EventBody.Write(e, frame[FrameLayout.HeaderBytes..length]);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[FrameLayout.StreamHash..], hash);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[FrameLayout.EncodedHash..], Checksum.OfEncoded(frame));
    }
}
