using System.Globalization;
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

        CheckName(request.Stream);
        if (request.From < 0)
        {
            throw new RequestRefusedException($"Revisions start at 0; {request.From} was asked for.");
        }

        SegmentReads.CheckAtLeast(request.AtLeast);
        if (request.MaxEvents < 0)
        {
            throw new RequestRefusedException($"{nameof(StreamReadRequest.MaxEvents)} is 0 or more, not {request.MaxEvents}.");
        }

        if (request.MaxBytes is < 1 or > SegmentReads.MaxReadBytes)
        {
            throw new RequestRefusedException($"{nameof(StreamReadRequest.MaxBytes)} is 1 to {SegmentReads.MaxReadBytes} (8 MiB), not {request.MaxBytes}.");
        }

        if (request.Wait < TimeSpan.Zero || request.Wait > SegmentReads.MaxWait || (request.Wait > TimeSpan.Zero && request.Backward))
        {
            throw new RequestRefusedException(
                $"{nameof(StreamReadRequest.Wait)} is 0 to {SegmentReads.MaxWait.TotalSeconds} s and 0 backward, not {request.Wait.TotalSeconds} s.");
        }
    }

    public static void Check(IReadOnlyList<string>? streams, long atLeast)
    {
        SegmentReads.CheckAtLeast(atLeast);
        if (streams is null || streams.Count > MaxNames)
        {
            throw new RequestRefusedException($"0 to {MaxNames} streams are asked for at once, not {streams?.Count.ToString(CultureInfo.InvariantCulture) ?? "null"}.");
        }

        foreach (var stream in streams)
        {
            CheckName(stream);
        }
    }

    public static void Check(StreamListRequest? request)
    {
        if (request?.Prefix is null)
        {
            throw new RequestRefusedException("A list of streams names a prefix; it may be empty, not null.");
        }

        SegmentReads.CheckAtLeast(request.AtLeast);
        if (request.From < 0 || request.MaxNames is < 1 or > MaxNames)
        {
            throw new RequestRefusedException(
                $"{nameof(StreamListRequest.From)} is 0 or more, not {request.From}; {nameof(StreamListRequest.MaxNames)} is 1 to {MaxNames}, not {request.MaxNames}.");
        }
    }

    public static StreamReadResult Read(Segment segment, StreamReadRequest request)
    {
        // State first: a segment found sealed here has the tail it was sealed with. And the rest before the events: what comes between is shown, not hidden.
        var hasEnded = segment.State is SegmentState.Fenced or SegmentState.Sealed;
        var committed = segment.Committed;
        var standing = request.WithStanding ? Standing(segment, request.Stream) : null;
        var firstSince = request.RecordedFrom is { } since ? segment.FirstSince(request.Stream, since.UtcTicks) : 0;
        var slice = segment.ReadStream(request.Stream, request.From, request.Backward, request.MaxEvents, request.MaxBytes);
        return new StreamReadResult
        {
            Events = SegmentReads.Frames(segment, slice.Runs, slice.Bytes),
            Count = slice.Count,
            First = slice.First,
            Before = slice.Before,
            HasEnded = hasEnded,
            Standing = standing,
            FirstSince = firstSince,
            Committed = committed,
        };
    }

    /// <remarks>An array: what a collection expression makes of a list cannot travel.</remarks>
    public static StreamStanding?[] Find(Segment segment, IReadOnlyList<string> streams) => [.. streams.Select(stream => Standing(segment, stream))];

    public static StreamListResult List(Segment segment, StreamListRequest request)
    {
        var (names, next) = segment.ListStreams(request.Prefix, request.From, request.MaxNames);
        return new StreamListResult(names, next);
    }

    private static StreamStanding? Standing(Segment segment, string stream) => segment.EndOf(stream) is not { } end ? null : new StreamStanding
    {
        LastRevision = end.LastRevision,
        IsDeleted = end.State == StreamState.Deleted,
        IsTombstoned = end.State == StreamState.Tombstoned,
        MetadataPosition = end.MetadataPosition,
    };

    private static void CheckName(string? stream)
    {
        if (Names.WhyNotStream(stream) is { } reason)
        {
            throw new RequestRefusedException($"'{stream}' is no name of a stream: {reason}.");
        }
    }
}
