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
        using var scan = At(relativePosition, segment.Tail);
        return scan.Current.StreamUtf8.SequenceEqual(name);
    }

    StreamState IEventNames.StateAfter(uint relativePosition) => EndOfStream(relativePosition, segment.Tail).State;

    /// <summary>When the event at a relative position was recorded, and what it says of its stream.</summary>
    public (long Timestamp, StreamState State) EndOfStream(uint relativePosition, Tail tail)
    {
        using var scan = At(relativePosition, tail);
        return (scan.Current.Frame.Timestamp, StreamStates.Of(scan.Current.Frame.Traits));
    }

    /// <summary>Where the event at a relative position lies.</summary>
    public long OffsetOf(uint relativePosition, Tail tail)
    {
        using var scan = At(relativePosition, tail);
        return scan.Current.Frame.Offset;
    }

    /// <summary>The name of the stream of the event at an offset if it begins with the prefix and the event is its first; else null.</summary>
    public string? BeginsStream(long offset, ReadOnlySpan<byte> prefix, Tail tail)
    {
        var map = View(tail).Map;
        var status = Frame.TryRead(map.Span(offset, (int)Math.Min(int.MaxValue, tail.Offset - offset)), offset, _key, out var frame);
        if (status != FrameStatus.Whole || !EventFrame.TryOpen(frame, Base, out var first))
        {
            throw new SegmentDamagedException(file.Path, offset, status == FrameStatus.Whole ? "a stream's first event is to lie here, and it is none" : status.ToString());
        }

        var name = frame.Revision == 0 && first.StreamUtf8.StartsWith(prefix) ? System.Text.Encoding.UTF8.GetString(first.StreamUtf8) : null;
        GC.KeepAlive(map);
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

        using var scan = Scan(position, position + 1, tail);
        return scan.MoveNext() ? scan.Current.ToRecordedEvent() : null;
    }

    /// <summary>See <see cref="Segment.Scan"/>.</summary>
    public EventScan Scan(long from, long to, Tail tail)
    {
        from = Math.Clamp(from, Base, tail.Position);
        to = Math.Clamp(to, from, tail.Position);
        return new EventScan(Walk(from, to, tail), Base);
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

        to = Math.Min(to, from + maxEvents);
        var view = View(tail);
        var start = Seek(view, from, tail);

        // The index leads to the last event that it lists and that begins within the bytes; only what lies behind is looked at.
        var (next, offset) = view.LastListed(from - Base, to - Base, start, maxBytes);
        next += Base;
        if (offset < start || offset > tail.Offset)
        {
            throw new SegmentDamagedException(file.Path, tail.Offset, $"its footer leads from {start} to {offset}");
        }

        var end = offset;
        while (offset < tail.Offset)
        {
            var (length, position, positions) = Outline(view.Map, offset, tail.Offset);
            if (position + positions > next)
            {
                if (position > next)
                {
                    throw new SegmentDamagedException(file.Path, offset, $"position {position} where {next} comes next");
                }

                if (next >= to || (next > from && offset + length - start > maxBytes))
                {
                    break;
                }

                end = offset + length;
                next = position + positions;
            }

            offset += length;
        }

        return new FrameSpan(new FrameRun(start, checked((int)(end - start))), view.Map.Memory(start, (int)(end - start)), next);
    }

    /// <summary>See <see cref="Segment.ReadGroups"/>.</summary>
    public ReadOnlyMemory<byte> Groups(long from, int maxBytes, Tail tail)
    {
        var map = View(tail).Map;
        var end = from;
        for (var offset = from; ; offset += Outline(map, offset, tail.Offset).Length)
        {
            if (offset == tail.Offset || BinaryPrimitives.ReadUInt32LittleEndian(map.Span(offset + FrameLayout.GroupDistance, sizeof(uint))) == 0)
            {
                if (end > from && offset - from > maxBytes)
                {
                    break;
                }

                end = offset;
            }

            if (offset == tail.Offset)
            {
                break;
            }
        }

        return map.Memory(from, (int)(end - from));
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

        using var scan = Scan(from, to, tail);
        while (scan.MoveNext())
        {
            var position = (int)(scan.Current.Position - from);
            WriterMemory.Write(scan.Current.Frame, remembered.AsSpan(position * WriterMemory.EventBytes, WriterMemory.EventBytes));
        }

        return remembered;
    }

    /// <summary>The tail and content hash that the segment would have if it ended at a position below its tail.</summary>
    public (Tail Tail, ulong Hash) EndAt(long end, Tail tail)
    {
        var hash = ContentHash.Empty;
        var last = new Tail(Base, FileLayout.FirstFrame, file.Header.TimestampFloor);
        using var frames = Walk(Base, end, tail);
        while (frames.MoveNext(out var frame))
        {
            hash = ContentHash.Add(hash, frame);
            last = frame.Positions == 0 ? last : new Tail(Base + frame.RelativePosition + frame.Positions, frame.End, frame.Timestamp);
        }

        return (last, hash);
    }

    /// <summary>Map and footer of a sealed segment, from the cache.</summary>
    public SealedView Sealed(Tail end) => file.Host.Views.Get(segment, () =>
    {
        var map = file.Map();

        // Without the heads before: asking for them could build the view of the segment before, and so on to the first.
        return new SealedView(map, Footer.TryRead(map, _key, end.Offset) ?? Footer.Build(map, file.Path, _key, end.Offset, end.Position - Base, before: null));
    });

    /// <summary>A scan that stands at one event.</summary>
    private EventScan At(uint relativePosition, Tail tail)
    {
        var position = Base + relativePosition;
        var scan = Scan(position, position + 1, tail);
        return scan.MoveNext() ? scan : throw new SegmentDamagedException(file.Path, tail.Offset, $"position {position} is not in the frames before");
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

    /// <summary>The frames from the one that holds a position on; none where the segment does not reach.</summary>
    private FrameWalk Walk(long from, long to, Tail tail)
    {
        var view = View(tail);
        var offset = from < to ? Seek(view, from, tail) : tail.Offset;
        return new FrameWalk(view.Map, file.Path, _key, offset, tail.Offset, from - Base, to - Base);
    }

    /// <summary>The offset of the frame that holds a position below the tail.</summary>
    private long Seek(in ReadView view, long position, Tail tail)
    {
        for (var offset = view.OffsetOf(position - Base); offset < tail.Offset;)
        {
            var (length, first, positions) = Outline(view.Map, offset, tail.Offset);
            if (first + positions > position)
            {
                return first <= position ? offset : throw new SegmentDamagedException(file.Path, offset, $"position {first} where {position} was looked for");
            }

            offset += length;
        }

        // It is there, or the tail would not say so: an empty answer would read as the end of the log.
        throw new SegmentDamagedException(file.Path, tail.Offset, $"position {position} is not in the frames before");
    }

    private readonly record struct ReadView(IFileMap Map, DensePositions? Positions, Footer? Sparse)
    {
        private int Interval => Positions is null ? Footer.Interval : 1;

        public long OffsetOf(long relative) => Positions?.OffsetOf(relative) ?? Sparse!.OffsetAtOrBefore(relative);

        /// <summary>The last listed event in [from, to) that begins at most so many bytes behind the first; the first if there is no other.</summary>
        public (long Relative, long Offset) LastListed(long from, long to, long start, int maxBytes)
        {
            // No more events than that fit: parts of the index that are not needed stay as they are.
            var most = from + (maxBytes / FrameLayout.HeaderBytes);
            var (low, high) = (from / Interval, Math.Min(to - 1, most) / Interval);
            while (low < high)
            {
                var middle = (low + high + 1) / 2;
                (low, high) = OffsetOf(middle * Interval) - start <= maxBytes ? (middle, high) : (low, middle - 1);
            }

            return low * Interval > from ? (low * Interval, OffsetOf(low * Interval)) : (from, start);
        }
    }
}
