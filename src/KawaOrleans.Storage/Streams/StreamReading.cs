using System.Buffers;
using KawaOrleans.Format;

namespace KawaOrleans.Storage.Streams;

/// <summary>Reads a stream's events out of one segment.</summary>
internal static class StreamReading
{
    private const int PositionsAtOnce = 256;

    /// <summary>See <see cref="Segment.ReadStream"/>.</summary>
    public static StreamSlice Read(Segment segment, StreamName name, long from, bool backward, int maxEvents, int maxBytes)
    {
        if (segment.FindStream(name, segment.Committed) is not { } part)
        {
            return new StreamSlice(0, 0, Before(segment, name), [], default);
        }

        // A footer made while nothing was known of what lies before may have been overtaken.
        var previous = part.Previous == OpenStreams.NotKnown ? Before(segment, name) : part.Previous;
        var frames = backward
            ? Backward(segment, part, from, maxEvents, maxBytes)
            : from >= part.FirstRevision || previous == -1 ? Forward(segment, part, from, maxEvents, maxBytes) : [];
        var (runs, bytes) = Joined(frames);
        return new StreamSlice(part.Events, part.FirstRevision, previous, runs, bytes);
    }

    private static long Before(Segment segment, StreamName name) =>
        segment.HeadsBefore() is { } heads ? heads.Find(name)?.Position ?? -1 : OpenStreams.NotKnown;

    private static List<FrameSpan> Forward(Segment segment, StreamPart part, long from, int maxEvents, int maxBytes)
    {
        var frames = new List<FrameSpan>();
        var bytes = 0L;
        var positions = new uint[PositionsAtOnce];
        for (var next = Math.Max(from, part.FirstRevision) - part.FirstRevision; next < part.Events;)
        {
            var some = positions.AsSpan(0, (int)Math.Min(PositionsAtOnce, part.Events - next));
            part.Copy((int)next, some);
            foreach (var position in some)
            {
                if (!Take(segment, position, frames, ref bytes, maxEvents, maxBytes))
                {
                    return frames;
                }
            }

            next += some.Length;
        }

        return frames;
    }

    private static List<FrameSpan> Backward(Segment segment, StreamPart part, long from, int maxEvents, int maxBytes)
    {
        var frames = new List<FrameSpan>();
        var bytes = 0L;
        var positions = new uint[PositionsAtOnce];
        var full = false;
        for (var end = Math.Min(from, part.LastRevision) - part.FirstRevision + 1; end > 0 && !full;)
        {
            var begin = Math.Max(0, end - PositionsAtOnce);
            var some = positions.AsSpan(0, (int)(end - begin));
            part.Copy((int)begin, some);
            for (var i = some.Length - 1; i >= 0 && !full; i--)
            {
                full = !Take(segment, some[i], frames, ref bytes, maxEvents, maxBytes);
            }

            end = begin;
        }

        frames.Reverse();
        return frames;
    }

    /// <summary>False when there is no room for it.</summary>
    private static bool Take(Segment segment, uint relativePosition, List<FrameSpan> frames, ref long bytes, int maxEvents, int maxBytes)
    {
        if (frames.Count >= maxEvents)
        {
            return false;
        }

        var position = segment.Header.BasePosition + relativePosition;
        var frame = segment.Read(position, position + 1, maxEvents: 1, int.MaxValue);
        bytes += frame.Bytes.Length;
        if (frames.Count > 0 && bytes > maxBytes)
        {
            return false;
        }

        frames.Add(frame);
        return true;
    }

    private static (List<FrameRun> Runs, ReadOnlyMemory<byte> Bytes) Joined(List<FrameSpan> frames)
    {
        var runs = new List<FrameRun>();
        var bytes = new ArrayBufferWriter<byte>(Math.Max(1, frames.Sum(static frame => frame.Bytes.Length)));
        foreach (var frame in frames)
        {
            bytes.Write(frame.Bytes.Span);
            if (runs.Count > 0 && runs[^1] is var last && last.Offset + last.Length == frame.Run.Offset)
            {
                runs[^1] = last with { Length = last.Length + frame.Run.Length };
            }
            else
            {
                runs.Add(frame.Run);
            }
        }

        return (runs, bytes.WrittenMemory);
    }
}
