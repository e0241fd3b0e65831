using KawaOrleans.Format;

namespace KawaOrleans;

/// <summary>Where a walk through the events of a block in [<paramref name="from"/>, <paramref name="to"/>) is. Each frame is verified
/// before its event is given out. Can be kept between events, which what it gives out cannot.</summary>
internal struct FrameCursor(FrameBlock block, long from, long to)
{
    private readonly SegmentIdentity _segment = new(block.SegmentId, block.Generation, block.Epoch);
    private int _run = -1;
    private int _at;
    private long _offset;
    private long _runEnd;

    /// <param name="bytes">The block's.</param>
    /// <param name="found">The next event in the range; valid as long as <paramref name="bytes"/>.</param>
    /// <exception cref="CorruptBlockException">A frame does not verify.</exception>
    public bool TryRead(ReadOnlySpan<byte> bytes, out EventFrame found)
    {
        while (true)
        {
            while (_offset >= _runEnd)
            {
                if (++_run >= block.Runs.Length)
                {
                    found = default;
                    return false;
                }

                _offset = block.Runs[_run].Offset;
                _runEnd = _offset + block.Runs[_run].Length;
            }

            var status = Frame.TryRead(bytes[_at..], _offset, _segment, out var frame);
            if (status != FrameStatus.Whole)
            {
                throw new CorruptBlockException(block.SegmentId, _offset, status.ToString());
            }

            _at += frame.Bytes.Length;
            _offset = frame.End;
            if (frame.Kind != FrameKind.Event)
            {
                continue;
            }

            if (!EventFrame.TryOpen(frame, block.BasePosition, out found))
            {
                throw new CorruptBlockException(block.SegmentId, frame.Offset, "inner lengths or times");
            }

            if (found.Position >= to)
            {
                return false;
            }

            if (found.Position >= from)
            {
                return true;
            }
        }
    }
}
