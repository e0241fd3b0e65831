using KawaOrleans.Format;

namespace KawaOrleans;

/// <summary>Frames of one segment, just as they lie on disk, with what is needed to verify them where they arrive.</summary>
[GenerateSerializer, Immutable, Alias("kawa.frame-block")]
public sealed class FrameBlock
{
    /// <summary>The segment's id.</summary>
    [Id(0)]
    public required Guid SegmentId { get; init; }

    /// <summary>The generation of its content.</summary>
    [Id(1)]
    public required int Generation { get; init; }

    /// <summary>Its epoch.</summary>
    [Id(2)]
    public required long Epoch { get; init; }

    /// <summary>Its first position.</summary>
    [Id(3)]
    public required long BasePosition { get; init; }

    /// <summary>Where the runs of frames in <see cref="Bytes"/> lie in the file, in order; one run unless a filter left some out.</summary>
    [Id(4)]
    public required FrameRun[] Runs { get; init; }

    /// <summary>The frames of all runs.</summary>
    [Id(5)]
    public required Block Bytes { get; init; }

    /// <summary>Reads the events in place, each verified before it is given out. Reads none outside [from, to).</summary>
    public EventReader Read(long from = 0, long to = long.MaxValue) => new(this, from, to);

    /// <summary>Copies the events in [from, to) into objects.</summary>
    /// <exception cref="CorruptBlockException">A frame does not verify.</exception>
    public List<RecordedEvent> ToList(long from = 0, long to = long.MaxValue)
    {
        var events = new List<RecordedEvent>();
        foreach (var e in Read(from, to))
        {
            events.Add(e.ToRecordedEvent());
        }

        return events;
    }
}

/// <summary>Walks the events of a <see cref="FrameBlock"/> without allocating.</summary>
public ref struct EventReader
{
    private readonly FrameBlock _block;
    private readonly SegmentIdentity _segment;
    private readonly long _from;
    private readonly long _to;
    private ReadOnlySpan<byte> _rest;
    private int _run;
    private long _offset;
    private long _runEnd;
    private EventFrame _current;

    internal EventReader(FrameBlock block, long from, long to)
    {
        _block = block;
        _segment = new SegmentIdentity(block.SegmentId, block.Generation, block.Epoch);
        _from = from;
        _to = to;
        _rest = block.Bytes.Bytes.Span;
        _run = -1;
    }

    /// <summary>The event last read.</summary>
    public readonly EventFrame Current => _current;

    /// <summary>So that <c>foreach</c> works.</summary>
    public readonly EventReader GetEnumerator() => this;

    /// <summary>Goes to the next event in the range.</summary>
    /// <exception cref="CorruptBlockException">A frame does not verify.</exception>
    public bool MoveNext()
    {
        while (true)
        {
            while (_offset >= _runEnd)
            {
                if (++_run >= _block.Runs.Length)
                {
                    return false;
                }

                _offset = _block.Runs[_run].Offset;
                _runEnd = _offset + _block.Runs[_run].Length;
            }

            var status = Frame.TryRead(_rest, _offset, _segment, out var frame);
            if (status != FrameStatus.Whole)
            {
                throw new CorruptBlockException(_block.SegmentId, _offset, status.ToString());
            }

            _rest = _rest[frame.Bytes.Length..];
            _offset = frame.End;
            if (frame.Kind != FrameKind.Event)
            {
                continue;
            }

            if (!EventFrame.TryOpen(frame, _block.BasePosition, out _current))
            {
                throw new CorruptBlockException(_block.SegmentId, frame.Offset, "inner lengths");
            }

            if (_current.Position >= _to)
            {
                return false;
            }

            if (_current.Position >= _from)
            {
                return true;
            }
        }
    }
}

[GenerateSerializer, Immutable, Alias("kawa.frame-run")]
internal struct FrameRunSurrogate
{
    [Id(0)]
    public long Offset;

    [Id(1)]
    public int Length;
}

[RegisterConverter]
internal sealed class FrameRunConverter : IConverter<FrameRun, FrameRunSurrogate>
{
    public FrameRun ConvertFromSurrogate(in FrameRunSurrogate surrogate) => new(surrogate.Offset, surrogate.Length);

    public FrameRunSurrogate ConvertToSurrogate(in FrameRun value) => new() { Offset = value.Offset, Length = value.Length };
}
