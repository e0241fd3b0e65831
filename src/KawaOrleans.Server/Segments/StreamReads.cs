using KawaOrleans.Storage;

namespace KawaOrleans.Server.Segments;

/// <summary>Reads of one segment by stream.</summary>
internal static class StreamReads
{
    private const int MaxNames = 10_000;

    public static void Check(StreamReadRequest? request)
    {
        if (request is null)
        {
            throw new RequestRefusedException("A read names what to read; the request is null.");
        }

        if (Names.WhyNotText(request.Stream) is { } reason)
        {
            throw new RequestRefusedException($"'{request.Stream}' is no name of a stream: {reason}.");
        }

        if (request.From < 0)
        {
            throw new RequestRefusedException($"Revisions start at 0; {request.From} was asked for.");
        }

        if (request.MaxEvents < 0)
        {
            throw new RequestRefusedException($"{nameof(StreamReadRequest.MaxEvents)} is 0 or more, not {request.MaxEvents}.");
        }

        if (request.MaxBytes is < 1 or > SegmentReads.MaxReadBytes)
        {
            throw new RequestRefusedException($"{nameof(StreamReadRequest.MaxBytes)} is 1 to {SegmentReads.MaxReadBytes} (8 MiB), not {request.MaxBytes}.");
        }
    }

    public static void Check(StreamListRequest? request)
    {
        if (request?.Prefix is null)
        {
            throw new RequestRefusedException("A list of streams names a prefix; it may be empty, not null.");
        }

        if (request.From < 0 || request.MaxNames is < 1 or > MaxNames)
        {
            throw new RequestRefusedException(
                $"{nameof(StreamListRequest.From)} is 0 or more, not {request.From}; {nameof(StreamListRequest.MaxNames)} is 1 to {MaxNames}, not {request.MaxNames}.");
        }
    }

    public static StreamReadResult Read(Segment segment, StreamReadRequest request)
    {
        // State first: a segment found ended here has the tail it ended with.
        var hasEnded = segment.State is SegmentState.Fenced or SegmentState.Sealed;
        var slice = segment.ReadStream(request.Stream, request.From, request.Backward, request.MaxEvents, request.MaxBytes);
        return new StreamReadResult
        {
            Events = SegmentReads.Frames(segment, slice.Runs, slice.Bytes),
            Count = slice.Count,
            First = slice.First,
            Before = slice.Before,
            HasEnded = hasEnded,
        };
    }

    public static StreamListResult List(Segment segment, StreamListRequest request)
    {
        var (names, next) = segment.ListStreams(request.Prefix, request.From, request.MaxNames);
        return new StreamListResult(names, next);
    }
}
