using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using KawaOrleans.Format;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>Goes from frame to frame in a map and verifies each one, and that its position follows. Ends behind a position, or at a tail.</summary>
/// <remarks>The map is kept by <see cref="Dispose"/>: a span does not keep it.
/// Fields change one by one, and a frame is made of them when it is asked for: copying a struct whose parts were just written waits for
/// those stores, which costs more than all the rest of a step.</remarks>
internal ref struct FrameWalk
{
    private readonly IFileMap _map;
    private readonly string _path;
    private readonly uint _key;
    private readonly long _start;
    private readonly long _limit;
    private readonly long _end;
    private ReadOnlySpan<byte> _bytes;
    private long _offset;
    private long _next;
    private int _length;

    /// <param name="map">The file.</param>
    /// <param name="path">Its path, for errors.</param>
    /// <param name="key">The segment's.</param>
    /// <param name="offset">Where the first frame lies.</param>
    /// <param name="limit">The tail's offset.</param>
    /// <param name="first">The relative position that the first frame is at, or reaches beyond.</param>
    /// <param name="end">The relative position to stop at.</param>
    public FrameWalk(IFileMap map, string path, uint key, long offset, long limit, long first, long end)
    {
        _map = map;
        _path = path;
        _key = key;
        _start = _offset = offset;
        _limit = limit;
        _next = first;
        _end = end;
        _bytes = Window();
    }

    /// <summary>The frame at hand.</summary>
    public readonly Frame Current => new(_bytes[.._length], _offset);

    public readonly long WalkedBytes => _offset + _length - _start;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext(out Frame frame)
    {
        var bytes = _bytes[_length..];
        var offset = unchecked(_offset + _length);
        _bytes = bytes;
        _offset = offset;
        if (_next >= _end)
        {
            _length = 0;
            frame = default;
            return false;
        }

        if (Frame.TryRead(bytes, offset, _key, out frame) != FrameStatus.Whole)
        {
            frame = ReadBeyondWindow();
        }

        var header = frame.Bytes[..FrameLayout.HeaderBytes];
        _length = frame.Bytes.Length;
        _next = header[FrameLayout.Kind] == (byte)FrameKind.Event && BinaryPrimitives.ReadUInt32LittleEndian(header[FrameLayout.RelativePosition..]) == _next
            ? unchecked(_next + 1)
            : Behind(frame);
        return true;
    }

    /// <summary>Tells of the frame at hand what makes it damage; answers nothing.</summary>
    [DoesNotReturn]
    public readonly bool Refuse(string reason) => throw new SegmentDamagedException(_path, _offset, reason);

    public readonly void Dispose() => GC.KeepAlive(_map);

    /// <summary>As much as one span can show; the rest follows when the walk has come to its end.</summary>
    private readonly ReadOnlySpan<byte> Window() => _map.Span(_offset, (int)Math.Min(int.MaxValue, _limit - _offset));

    private Frame ReadBeyondWindow()
    {
        // The positions up to the end are there, or the tail would not say so: an early end would read as the end of the log.
        _bytes = Window();
        if (Frame.TryRead(_bytes, _offset, _key, out var frame) is var status and not FrameStatus.Whole)
        {
            Refuse(status.ToString());
        }

        return frame;
    }

    /// <summary>The position that comes behind a frame which is no event, or not the one that comes next.</summary>
    private readonly long Behind(Frame frame)
    {
        if (frame.RelativePosition > _next || (frame.Kind == FrameKind.Event && frame.RelativePosition < _next))
        {
            Refuse($"relative position {frame.RelativePosition} where {_next} comes next");
        }

        return Math.Max(_next, frame.RelativePosition + frame.Positions);
    }
}
