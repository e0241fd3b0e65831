using System.Diagnostics.CodeAnalysis;
using KawaOrleans.Format;
using KawaOrleans.Storage;

namespace KawaOrleans.Server.Segments;

/// <summary>Walks the events of a span of frames beside the map and verifies each before it is looked at.</summary>
internal ref struct FrameScan
{
    private readonly SegmentHeader _header;
    private readonly string _path;
    private ReadOnlySpan<byte> _rest;
    private EventFrame _event;

    public FrameScan(Segment segment, FrameSpan span)
    {
        _header = segment.Header;
        _path = segment.Path;
        _rest = span.Bytes.Span;
        Offset = End = span.Run.Offset;
    }

    /// <summary>The event's offset in the file.</summary>
    public long Offset { get; private set; }

    /// <summary>The offset behind it.</summary>
    public long End { get; private set; }

    /// <summary>The event's frame.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The event.</summary>
    [UnscopedRef]
    public readonly ref readonly EventFrame Event => ref _event;

    /// <summary>Goes to the next event.</summary>
    /// <exception cref="SegmentDamagedException">A frame does not verify.</exception>
    public bool MoveNext()
    {
        while (!_rest.IsEmpty)
        {
            Offset = End;
            var status = Frame.TryRead(_rest, Offset, _header.Identity, out var frame);
            if (status != FrameStatus.Whole)
            {
                throw new SegmentDamagedException(_path, Offset, status.ToString());
            }

            Bytes = frame.Bytes;
            End = frame.End;
            _rest = _rest[Bytes.Length..];
            if (frame.Kind != FrameKind.Event)
            {
                continue;
            }

            return EventFrame.TryOpen(frame, _header.BasePosition, out _event)
                ? true
                : throw new SegmentDamagedException(_path, Offset, "the lengths inside the event do not add up to its own");
        }

        return false;
    }
}
