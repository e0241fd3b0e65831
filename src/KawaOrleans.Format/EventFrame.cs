using System.Buffers.Binary;
using System.Text;
using KawaOrleans.Format;

namespace KawaOrleans;

/// <summary>One event, read in place: nothing is decoded or allocated before it is asked for. Valid as long as the bytes under it.</summary>
public readonly ref struct EventFrame
{
    private readonly Frame _frame;

    /// <param name="frame">An event's, in which <see cref="EventParts"/> were found.</param>
    /// <param name="position">The event's.</param>
    internal EventFrame(Frame frame, long position)
    {
        _frame = frame;
        Position = position;
    }

    /// <summary>The frame it was read from.</summary>
    public Frame Frame => _frame;

    /// <summary>The event's number in its log.</summary>
    public long Position { get; }

    /// <summary>The event's number in its stream, from 0.</summary>
    public long Revision => _frame.Revision;

    /// <summary>The stream's name, as UTF-8.</summary>
    public ReadOnlySpan<byte> StreamUtf8 => _frame.Body[Parts.Stream..Parts.Type];

    /// <summary>The event type's name, as UTF-8.</summary>
    public ReadOnlySpan<byte> TypeUtf8 => _frame.Body[Parts.Type..Parts.Metadata];

    /// <summary>The payload.</summary>
    public ReadOnlySpan<byte> Data => _frame.Body[Parts.Data..];

    /// <summary>The bytes about the event.</summary>
    public ReadOnlySpan<byte> Metadata => _frame.Body[Parts.Metadata..Parts.Data];

    /// <summary>The id the writer gave.</summary>
    public Guid Id => new(_frame.Body.Slice(EventBody.Id, 16), bigEndian: true);

    /// <summary>When the log took the event: UTC ticks of 100 ns.</summary>
    public long RecordedTicks => _frame.Timestamp;

    /// <summary>When it happened in the user's world, in the same ticks, or null.</summary>
    public long? OccurredTicks => (_frame.Traits & FrameTraits.HasOccurred) != 0
        ? BinaryPrimitives.ReadInt64LittleEndian(_frame.Body[EventBody.FixedBytes..])
        : null;

    /// <summary>Bytes this event takes on disk.</summary>
    public int StoredBytes => _frame.Bytes.Length;

    /// <summary>True when the event ends its batch.</summary>
    public bool IsLastOfBatch => (_frame.Traits & FrameTraits.LastOfBatch) != 0;

    private EventParts Parts => EventParts.Of(_frame.Body, _frame.Traits);

    /// <summary>Reads the envelope of a verified event frame; false when its inner lengths do not add up, or a time in it is none.</summary>
    public static bool TryOpen(scoped in Frame frame, long basePosition, out EventFrame opened)
    {
        if (frame.Kind != FrameKind.Event
            || !EventParts.TryFind(frame, out _))
        {
            opened = default;
            return false;
        }

        opened = new EventFrame(frame, basePosition + frame.RelativePosition);
        return true;
    }

    /// <summary>Copies the event out of the bytes it lies in.</summary>
    public RecordedEvent ToRecordedEvent() => new()
    {
        Position = Position,
        Revision = Revision,
        Stream = Encoding.UTF8.GetString(StreamUtf8),
        Type = Encoding.UTF8.GetString(TypeUtf8),
        Id = Id,
        Recorded = new DateTimeOffset(RecordedTicks, TimeSpan.Zero),
        Occurred = OccurredTicks is { } ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null,
        Data = Data.ToArray(),
        Metadata = Metadata.ToArray(),
    };
}
