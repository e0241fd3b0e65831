using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>A segment's frames in place, found by position: through the dense positions while they are kept, through the footer
/// of a sealed segment afterwards. Never looks beyond the tail it is given.</summary>
internal sealed class SegmentFrames(Segment segment, SegmentFile file) : IEventNames
{
    private readonly uint _key = file.Header.Identity.ChecksumKey;
    private DensePositions? _positions;
    private IFileMap? _map;

    /// <summary>Where every event lies; null once the footer serves.</summary>
    public DensePositions? Positions
    {
        set => Volatile.Write(ref _positions, value);
    }

    /// <summary>The map of a segment that is not sealed, or not yet served by its footer.</summary>
    public IFileMap? Map
    {
        set => Volatile.Write(ref _map, value);
    }

    private long Base => file.Header.BasePosition;

    /// <summary>Whether the event at a relative position belongs to a stream.</summary>
    bool IEventNames.IsInStream(uint relativePosition, ReadOnlySpan<byte> name)
    {
        var tail = segment.Tail;
        var view = View(tail);
        var found = Opened(At(view, relativePosition, tail)).StreamUtf8.SequenceEqual(name);
        GC.KeepAlive(view.Map);
        return found;
    }

    /// <summary>When the event at a relative position was recorded.</summary>
    public long TimestampOf(uint relativePosition, Tail tail)
    {
        var view = View(tail);
        var timestamp = At(view, relativePosition, tail).Timestamp;
        GC.KeepAlive(view.Map);
        return timestamp;
    }

    /// <summary>Where the event at a relative position lies.</summary>
    public long OffsetOf(uint relativePosition, Tail tail)
    {
        var view = View(tail);
        var offset = At(view, relativePosition, tail).Offset;
        GC.KeepAlive(view.Map);
        return offset;
    }

    /// <summary>The name of the stream of the event at an offset if it begins with the prefix and the event is its first; else null.</summary>
    public string? BeginsStream(long offset, ReadOnlySpan<byte> prefix, Tail tail)
    {
        var view = View(tail);
        var frame = Verified(view.Map, offset, tail.Offset);
        var name = frame.Kind == FrameKind.Event && frame.Revision == 0 && Opened(frame) is { } first && first.StreamUtf8.StartsWith(prefix)
            ? System.Text.Encoding.UTF8.GetString(first.StreamUtf8)
            : null;
        GC.KeepAlive(view.Map);
        return name;
    }

    /// <summary>True once map and footer come and go with the cache.</summary>
    public bool IsSealed => Volatile.Read(ref _map) is null;

    /// <summary>From now on map and footer come and go with the cache.</summary>
    public void ServeSealed()
    {
        // Order matters: whoever still finds the map also found the positions, or goes to the footer.
        Positions = null;
        Map = null;
    }

    /// <summary>The event at a position, or null where there is none.</summary>
    /// <exception cref="SegmentDamagedException">The frame does not verify.</exception>
    public RecordedEvent? Find(long position, Tail tail)
    {
        if (position < Base || position >= tail.Position)
        {
            return null;
        }

        RecordedEvent? found = null;
        var view = View(tail);
        for (var offset = view.OffsetOf(position - Base); offset < tail.Offset && found is null;)
        {
            var frame = Verified(view.Map, offset, tail.Offset);
            if (Base + frame.RelativePosition > position)
            {
                break;
            }

            found = frame.Kind == FrameKind.Event && Base + frame.RelativePosition == position ? Opened(frame).ToRecordedEvent() : null;
            offset = frame.End;
        }

        GC.KeepAlive(view.Map);
        return found;
    }

    /// <summary>See <see cref="Segment.Read"/>.</summary>
    public FrameSpan Read(long from, long to, int maxEvents, int maxBytes, Tail tail)
    {
        from = Math.Max(from, Base);
        to = Math.Min(to, tail.Position);
        if (from >= to || maxEvents <= 0)
        {
            return new FrameSpan(default, default, from);
        }

        var view = View(tail);
        var next = from;
        var start = -1L;
        var end = -1L;
        for (var offset = view.OffsetOf(from - Base); offset < tail.Offset;)
        {
            var (length, position, positions) = Outline(view.Map, offset, tail.Offset);
            if (positions > 0 && position + positions > from)
            {
                if (position > next)
                {
                    throw new SegmentDamagedException(file.Path, offset, $"position {position} where {next} comes next");
                }

                if (position >= to || next - from >= maxEvents || (start >= 0 && offset + length - start > maxBytes))
                {
                    break;
                }

                start = start < 0 ? offset : start;
                end = offset + length;
                next = position + positions;
            }

            offset += length;
        }

        // The frames are there, or the tail would not say so: an empty answer would read as the end of the log.
        return start < 0
            ? throw new SegmentDamagedException(file.Path, tail.Offset, $"position {from} is not in the frames before")
            : new FrameSpan(new FrameRun(start, checked((int)(end - start))), view.Map.Memory(start, (int)(end - start)), next);
    }

    /// <summary>See <see cref="Segment.Remember"/>.</summary>
    public byte[] Remember(long from, long to, Tail tail)
    {
        from = Math.Max(from, Base);
        to = Math.Min(to, tail.Position);
        var remembered = new byte[Math.Max(0, to - from) * WriterMemory.EventBytes];
        if (remembered.Length == 0)
        {
            return remembered;
        }

        var view = View(tail);
        var next = from;
        for (var offset = view.OffsetOf(from - Base); next < to;)
        {
            var frame = Verified(view.Map, offset, tail.Offset);
            if (frame.Kind == FrameKind.Event && Base + frame.RelativePosition is var position && position >= from)
            {
                WriterMemory.Write(frame, remembered.AsSpan((int)(position - from) * WriterMemory.EventBytes));
            }

            next = frame.Positions == 0 ? next : Base + frame.RelativePosition + frame.Positions;
            offset = frame.End;
        }

        GC.KeepAlive(view.Map);
        return remembered;
    }

    /// <summary>The tail and content hash that the segment would have if it ended at a position below its tail.</summary>
    public (Tail Tail, ulong Hash) EndAt(long end, Tail tail)
    {
        var hash = ContentHash.Empty;
        var last = new Tail(Base, FileLayout.FirstFrame, file.Header.TimestampFloor);
        var map = View(tail).Map;
        for (var offset = FileLayout.FirstFrame; last.Position < end;)
        {
            var frame = Verified(map, offset, tail.Offset);
            hash = ContentHash.Add(hash, frame);
            offset = frame.End;
            last = frame.Positions == 0 ? last : new Tail(last.Position + frame.Positions, offset, frame.Timestamp);
        }

        GC.KeepAlive(map);
        return (last, hash);
    }

    /// <summary>Map and footer of a sealed segment, from the cache.</summary>
    public SealedView Sealed(Tail end) => file.Host.Views.Get(segment, () =>
    {
        var map = file.Map();

        // Without the heads before: asking for them could build the view of the segment before, and so on to the first.
        return new SealedView(map, Footer.TryRead(map, _key, end.Offset) ?? Footer.Build(map, file.Path, _key, end.Offset, before: null));
    });

    /// <summary>The event's frame; valid while the view's map is referenced.</summary>
    private Frame At(ReadView view, uint relativePosition, Tail tail)
    {
        var offset = view.OffsetOf(relativePosition);
        var frame = Verified(view.Map, offset, tail.Offset);
        while (frame.RelativePosition < relativePosition || frame.Kind != FrameKind.Event)
        {
            offset = frame.End;
            frame = Verified(view.Map, offset, tail.Offset);
        }

        return frame.RelativePosition == relativePosition
            ? frame
            : throw new SegmentDamagedException(file.Path, offset, $"position {Base + frame.RelativePosition} where {Base + relativePosition} was to be");
    }

    private ReadView View(Tail tail)
    {
        var map = Volatile.Read(ref _map);
        var positions = Volatile.Read(ref _positions);
        if (map is not null && positions is not null)
        {
            return new ReadView(map, positions, null);
        }

        var view = Sealed(tail);
        return new ReadView(view.Map, null, view.Footer);
    }

    /// <summary>A frame's padded length, its position and how many it takes, without verifying it: its reader does that.</summary>
    private (int Length, long Position, long Positions) Outline(IFileMap map, long offset, long limit)
    {
        var left = limit - offset;
        var header = map.Span(offset, (int)Math.Min(FrameLayout.HeaderBytes, left));
        var length = left < FrameLayout.HeaderBytes ? 0 : BinaryPrimitives.ReadInt32LittleEndian(header[FrameLayout.Length..]);
        if (length < FrameLayout.HeaderBytes || length > left)
        {
            throw new SegmentDamagedException(file.Path, offset, $"a frame of {length} bytes where {left} are left");
        }

        var positions = (FrameKind)header[FrameLayout.Kind] switch
        {
            FrameKind.Event => 1L,
            FrameKind.Gap => BinaryPrimitives.ReadUInt32LittleEndian(map.Span(offset + FrameLayout.HeaderBytes, sizeof(uint))),
            _ => 0L,
        };
        return (FrameLayout.Padded(length), Base + BinaryPrimitives.ReadUInt32LittleEndian(header[FrameLayout.RelativePosition..]), positions);
    }

    private Frame Verified(IFileMap map, long offset, long limit)
    {
        var status = Frame.TryRead(map.Span(offset, (int)Math.Min(int.MaxValue, limit - offset)), offset, _key, out var frame);
        return status == FrameStatus.Whole ? frame : throw new SegmentDamagedException(file.Path, offset, status.ToString());
    }

    private EventFrame Opened(Frame frame) => EventFrame.TryOpen(frame, Base, out var opened)
        ? opened
        : throw new SegmentDamagedException(file.Path, frame.Offset, "its inner lengths do not add up");

    private readonly record struct ReadView(IFileMap Map, DensePositions? Positions, Footer? Sparse)
    {
        public long OffsetOf(long relative) => Positions?.OffsetOf(relative) ?? Sparse!.OffsetAtOrBefore(relative);
    }
}
