using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage.Streams;

/// <summary>The streams of a sealed segment: its section, and the names and revisions that its frames have.</summary>
internal sealed class SealedStreams(SealedView view, SegmentHeader header, string path, Tail end)
{
    private readonly uint _key = header.Identity.ChecksumKey;

    public int Count
    {
        get
        {
            var count = Section.Count;
            GC.KeepAlive(view);
            return count;
        }
    }

    /// <summary>Valid while the view is referenced.</summary>
    private StreamSection Section => StreamSection.TryOpen(view.Footer.Streams.Span, out var opened)
        ? opened
        : throw new InvalidOperationException("A footer without a stream section is none.");

    /// <summary>What the segment holds of a stream, or null.</summary>
    /// <exception cref="SegmentDamagedException">A frame does not verify.</exception>
    public StreamPart? Find(StreamName name)
    {
        StreamPart? found = null;
        var streams = Section;
        for (var index = streams.FirstCandidate(name); index >= 0 && index < streams.Count && streams.HashOf(index) == name.Hash && found is null; index++)
        {
            found = NameOf(index).SequenceEqual(name.Utf8) ? Part(index) : null;
        }

        GC.KeepAlive(view);
        return found;
    }

    /// <summary>Where the first event of each stream lies, in order, from an offset on.</summary>
    public long[] FirstOffsets(long from)
    {
        var streams = Section;
        var offsets = new List<long>(streams.Count);
        for (var index = 0; index < streams.Count; index++)
        {
            if (streams.FirstOffset(index) is var offset && offset >= from)
            {
                offsets.Add(offset);
            }
        }

        offsets.Sort();
        GC.KeepAlive(view);
        return [.. offsets];
    }

    /// <summary>The heads of all its streams, in order.</summary>
    public IHeadCursor Read() => new Cursor(this);

    /// <summary>The stream's last event here.</summary>
    public StreamHead HeadOf(StreamPart part)
    {
        var last = part.LastPosition();
        for (var offset = view.Footer.OffsetAtOrBefore(last); ;)
        {
            var frame = FrameAt(offset);
            if (frame.Kind == FrameKind.Event && frame.RelativePosition >= last)
            {
                var head = new StreamHead(part.LastRevision, header.BasePosition + last, frame.Timestamp, StreamStates.Of(frame.Traits));
                GC.KeepAlive(view);
                return frame.RelativePosition == last && frame.Revision == part.LastRevision
                    ? head
                    : throw new SegmentDamagedException(path, offset, "the footer names it as a stream's last event, and it is not");
            }

            offset = frame.End;
        }
    }

    private StreamPart Part(int index)
    {
        var first = FrameAt(Section.FirstOffset(index));
        var (relative, revision) = (first.RelativePosition, first.Revision);
        return new StreamPart(revision, Section.Previous(index), Section.Events(index), (from, target) =>
        {
            if (!Section.Positions(index, relative, from, target))
            {
                throw new SegmentDamagedException(path, end.Offset, "the footer's list of a stream's events is not whole");
            }

            GC.KeepAlive(view);
        });
    }

    /// <summary>Valid while the view is referenced.</summary>
    private ReadOnlySpan<byte> NameOf(int index)
    {
        var offset = Section.FirstOffset(index);
        return EventFrame.TryOpen(FrameAt(offset), header.BasePosition, out var e)
            ? e.StreamUtf8
            : throw new SegmentDamagedException(path, offset, "the footer names it as a stream's first event, and it is none");
    }

    private Frame FrameAt(long offset)
    {
        if (offset < FileLayout.FirstFrame || offset >= end.Offset)
        {
            throw new SegmentDamagedException(path, offset, "the footer names an event outside the segment");
        }

        var status = Frame.TryRead(view.Map.Span(offset, (int)Math.Min(int.MaxValue, end.Offset - offset)), offset, _key, out var frame);
        return status == FrameStatus.Whole ? frame : throw new SegmentDamagedException(path, offset, status.ToString());
    }

    private sealed class Cursor : IHeadCursor
    {
        private readonly SealedStreams _streams;
        private readonly int[] _order;
        private int _at = -1;
        private StreamHead _head;

        public Cursor(SealedStreams streams)
        {
            _streams = streams;
            _order = [.. Enumerable.Range(0, streams.Count)];
            var byName = Comparer<int>.Create((a, b) => streams.NameOf(a).SequenceCompareTo(streams.NameOf(b)));
            var section = streams.Section;
            for (var (begin, behind) = (0, 0); begin < _order.Length; begin = behind)
            {
                for (behind = begin + 1; behind < _order.Length && section.HashOf(behind) == section.HashOf(begin);)
                {
                    behind++;
                }

                Array.Sort(_order, begin, behind - begin, byName);
            }
        }

        public HeadEntry Current => new(_streams.Section.HashOf(_order[_at]), _streams.NameOf(_order[_at]), _head);

        public bool MoveNext()
        {
            if (++_at == _order.Length)
            {
                return false;
            }

            _head = _streams.HeadOf(_streams.Part(_order[_at]));
            return true;
        }
    }
}
