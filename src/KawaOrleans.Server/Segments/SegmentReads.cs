using System.Buffers;
using KawaOrleans.Format;
using KawaOrleans.Server.Queries;
using KawaOrleans.Storage;

namespace KawaOrleans.Server.Segments;

/// <summary>Reads of one segment. Without a filter the answer's bytes are the map's own; with one, the matching frames are
/// copied out, after each frame looked at was verified.</summary>
internal static class SegmentReads
{
    /// <summary>The most a read may ask for.</summary>
    public const int MaxReadBytes = 8 * 1024 * 1024;

    /// <summary>A read of single events takes no more once it has so much.</summary>
    private const long EachBytes = 1024 * 1024;

    /// <summary>How much one call looks at before it answers with what it has and where to go on.</summary>
    public const long MaxScannedBytes = 32L * 1024 * 1024;

    /// <summary>The longest a read may wait for more.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    public static void Check(ReadRequest? request, SegmentHeader header)
    {
        if (request is null)
        {
            throw new RequestRefusedException("A read names what to read; the request is null.");
        }

        RangeCheck.Check(request.From, request.To);
        if (request.From < header.BasePosition)
        {
            throw new RequestRefusedException(
                $"The segment begins at position {header.BasePosition}; {request.From} lies before it. Ask the directory which segment holds it.");
        }

        CheckAtLeast(request.AtLeast);
        if (request.MaxEvents < 1)
        {
            throw new RequestRefusedException($"{nameof(ReadRequest.MaxEvents)} is at least 1, not {request.MaxEvents}.");
        }

        if (request.MaxBytes is < 1 or > MaxReadBytes)
        {
            throw new RequestRefusedException($"{nameof(ReadRequest.MaxBytes)} is 1 to {MaxReadBytes} (8 MiB), not {request.MaxBytes}.");
        }

        if (request.Wait < TimeSpan.Zero || request.Wait > MaxWait)
        {
            throw new RequestRefusedException($"{nameof(ReadRequest.Wait)} is 0 to {MaxWait.TotalSeconds} s, not {request.Wait.TotalSeconds} s.");
        }
    }

    public static void CheckEach(long[]? positions, long atLeast, SegmentHeader header)
    {
        if (positions is not { Length: > 0 and <= Limits.MaxPositionsPerRead })
        {
            throw new RequestRefusedException($"A read of single events names 1 to {Limits.MaxPositionsPerRead} positions, not {positions?.Length ?? 0}.");
        }

        CheckAtLeast(atLeast);
        for (var i = 0; i < positions.Length; i++)
        {
            if (positions[i] < header.BasePosition || positions[i] == long.MaxValue || (i > 0 && positions[i] < positions[i - 1]))
            {
                throw new RequestRefusedException(
                    $"Positions are in order and from {header.BasePosition}, where the segment begins; {positions[i]}, number {i}, is not.");
            }
        }
    }

    public static void CheckAtLeast(long atLeast)
    {
        if (atLeast < 0)
        {
            throw new RequestRefusedException($"{nameof(ReadRequest.AtLeast)} is a position, 0 or more, not {atLeast}.");
        }
    }

    /// <summary>Whatever is read, a replica answers for everything below a position, or not at all. A sealed one has all of its segment; one of several that
    /// came back with events and was not told yet which of them are committed answers for nothing.</summary>
    /// <exception cref="BehindException">It knows less.</exception>
    public static void RefuseIfBehind(Segment segment, string node, long atLeast)
    {
        // State first: a segment found sealed here has the tail it was sealed with.
        if (segment.State == SegmentState.Sealed || (atLeast == 0 && segment.KnowsCommitted))
        {
            return;
        }

        var known = segment.Committed;
        if (known < atLeast || !segment.KnowsCommitted)
        {
            throw new BehindException(segment.Header.Identity.Id, node, known, Math.Max(atLeast, segment.Tail.Position));
        }
    }

    /// <summary>Answers with what is committed now.</summary>
    public static ReadResult Read(Segment segment, ReadRequest request, PreparedFilter? filter, CancellationToken cancellation)
    {
        // State first: a segment found sealed here has the tail it was sealed with.
        var state = segment.State;
        var committed = segment.Committed;
        var to = Math.Min(request.To, committed);
        if (request.From >= to)
        {
            return Result(segment, [], default, 0, request.From, committed, state);
        }

        if (filter is not null)
        {
            return ReadMatching(segment, request, filter, to, committed, state, cancellation);
        }

        var span = segment.Read(request.From, to, request.MaxEvents, request.MaxBytes);
        return Result(segment, [span.Run], span.Bytes, span.Bytes.Length, span.Next, committed, state);
    }

    /// <summary>Answers with the events at these positions that are committed now.</summary>
    public static ReadResult ReadEach(Segment segment, long[] positions)
    {
        // State first: a segment found sealed here has the tail it was sealed with.
        var state = segment.State;
        var committed = segment.Committed;
        var (runs, pieces) = (new List<FrameRun>(positions.Length), new List<ReadOnlyMemory<byte>>(positions.Length));
        var bytes = 0L;
        foreach (var position in positions)
        {
            if (bytes >= EachBytes)
            {
                break;
            }

            var span = position < committed ? segment.Read(position, position + 1, 1, MaxReadBytes) : default;
            runs.Add(span.Run);
            pieces.Add(span.Bytes);
            bytes += span.Bytes.Length;
        }

        return Result(Frames(segment, runs, Block.Of([.. pieces])), bytes, positions[runs.Count - 1] + 1, committed, state);
    }

    private static ReadResult ReadMatching(
        Segment segment, ReadRequest request, PreparedFilter filter, long to, long committed, SegmentState state, CancellationToken cancellation)
    {
        var matching = new ArrayBufferWriter<byte>();
        var runs = new List<FrameRun>();
        var events = 0;
        using var scan = segment.Scan(request.From, to);
        while (scan.MoveNext())
        {
            var e = scan.Current;
            var examined = scan.ExaminedBytes;
            if (filter.Matches(e))
            {
                if (events == request.MaxEvents || (events > 0 && matching.WrittenCount + e.StoredBytes > request.MaxBytes))
                {
                    return Result(segment, runs, matching.WrittenMemory, examined - e.StoredBytes, e.Position, committed, state);
                }

                matching.Write(e.Frame.Bytes);
                Extend(runs, e.Frame.Offset, e.StoredBytes);
                events++;
            }

            if (examined >= MaxScannedBytes || cancellation.IsCancellationRequested)
            {
                return Result(segment, runs, matching.WrittenMemory, examined, e.Position + 1, committed, state);
            }
        }

        return Result(segment, runs, matching.WrittenMemory, scan.ExaminedBytes, to, committed, state);
    }

    /// <summary>Frames of a segment, as they are sent.</summary>
    public static FrameBlock Frames(Segment segment, IReadOnlyCollection<FrameRun> runs, ReadOnlyMemory<byte> bytes) => Frames(segment, runs, new Block(bytes));

    private static FrameBlock Frames(Segment segment, IReadOnlyCollection<FrameRun> runs, Block bytes)
    {
        var header = segment.Header;
        return new FrameBlock
        {
            SegmentId = header.Identity.Id,
            Generation = header.Identity.Generation,
            Epoch = header.Identity.Epoch,
            BasePosition = header.BasePosition,
            Runs = [.. runs],
            Bytes = bytes,
        };
    }

    private static void Extend(List<FrameRun> runs, long offset, int length)
    {
        if (runs.Count > 0 && runs[^1] is var last && last.Offset + last.Length == offset)
        {
            runs[^1] = last with { Length = last.Length + length };
        }
        else
        {
            runs.Add(new FrameRun(offset, length));
        }
    }

    private static ReadResult Result(
        Segment segment, IReadOnlyCollection<FrameRun> runs, ReadOnlyMemory<byte> bytes, long examined, long next, long committed, SegmentState state) =>
        Result(Frames(segment, runs, bytes), examined, next, committed, state);

    private static ReadResult Result(FrameBlock events, long examined, long next, long committed, SegmentState state)
    {
        return new ReadResult
        {
            Events = events,
            Next = next,
            Committed = committed,
            AtEndOfSegment = state == SegmentState.Sealed && next >= committed,
            ExaminedBytes = examined,
            HasEnded = state is SegmentState.Fenced or SegmentState.Sealed,
        };
    }
}
