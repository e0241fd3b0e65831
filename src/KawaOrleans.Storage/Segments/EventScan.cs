using System.Runtime.CompilerServices;
using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage;

/// <summary>A walk through the events of one segment, in place: nothing is copied or allocated, and each frame is verified before its
/// event is given out. Made by <see cref="Segment.Scan"/>, walked by <c>foreach</c> or by <see cref="MoveNext"/>.</summary>
/// <remarks>It holds the map until it is disposed, which <c>foreach</c> does. What it gave out must not be used after that.</remarks>
public ref struct EventScan
{
    private readonly long _basePosition;
    private FrameWalk _frames;

    internal EventScan(FrameWalk frames, long basePosition)
    {
        _frames = frames;
        _basePosition = basePosition;
    }

    /// <summary>The event at hand.</summary>
    public readonly EventFrame Current => new(_frames.Current, _basePosition + _frames.Current.RelativePosition);

    /// <summary>Bytes of the frames looked at so far, of whatever kind.</summary>
    public readonly long ExaminedBytes => _frames.WalkedBytes;

    /// <summary>Goes to the next event; false behind the last.</summary>
    /// <exception cref="SegmentDamagedException">The next frame does not verify, or is not the one that comes next.</exception>
    /// <remarks>Not inlined: in a loop that has only begun to run hot it would be compiled with the loop, its state in memory, and take a third
    /// more time.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public bool MoveNext()
    {
        while (_frames.MoveNext(out var frame))
        {
            if (frame.Kind == FrameKind.Event)
            {
                return EventParts.TryFind(frame, out _) || _frames.Refuse("its inner lengths or times make no sense");
            }
        }

        return false;
    }

    /// <summary>The scan itself, for <c>foreach</c>.</summary>
    public readonly EventScan GetEnumerator() => this;

    /// <summary>Gives the map free.</summary>
    public readonly void Dispose() => _frames.Dispose();
}
