using KawaOrleans.Server.Segments;
using KawaOrleans.Storage;
using SegmentReads = KawaOrleans.Server.Segments.SegmentReads;

namespace KawaOrleans.Client.Tests.Streams;

/// <summary>A segment of the engine behind the interface that a client calls, without the grain's care for tenure, load and faults.</summary>
internal sealed class EngineSegment(Segment segment, SegmentWriter writer, Tampering tampering) : ISegmentGrain
{
    private readonly BlockRuns _runs = new();

    public Segment Engine => segment;

    /// <summary>Ends it where it is.</summary>
    public Segment End()
    {
        segment.Seal(segment.Fence(1).Position);
        return segment;
    }

    public async ValueTask<AppendResult> Append(AppendRequest request, CancellationToken cancellation = default)
    {
        await tampering.BeforeAppend();
        using var block = EventBlock.Parse(request.Batches.Bytes);
        if (segment.IsReadOnly)
        {
            return new SegmentEnded();
        }

        if (!_runs.Take(request.Order))
        {
            return new OutOfSequence();
        }

        try
        {
            return tampering.Appended(request, AppendAnswer.Of(await writer.AppendAsync(block, request.RetrySince, request.Expected)));
        }
        catch (SegmentFullException)
        {
            return new SegmentEnded();
        }
    }

    public ValueTask<ReadResult> Read(ReadRequest request, CancellationToken cancellation = default) =>
        new(SegmentReads.Read(segment, request, null, cancellation));

    public ValueTask<ReadResult> ReadEach(long[] positions, long atLeast = 0, CancellationToken cancellation = default) =>
        new(SegmentReads.ReadEach(segment, positions));

    public async ValueTask<StreamReadResult> ReadStream(StreamReadRequest request, CancellationToken cancellation = default)
    {
        request = tampering.Asked(request);
        if (request.Wait > TimeSpan.Zero)
        {
            await segment.WaitForStreamAsync(request.Stream, request.From, request.Wait, cancellation);
        }

        return tampering.Answered(request, StreamReads.Read(segment, request));
    }

    public ValueTask<IReadOnlyList<StreamStanding?>> FindStreams(IReadOnlyList<string> streams, long atLeast = 0, CancellationToken cancellation = default) =>
        new(tampering.Found(StreamReads.Find(segment, streams)));

    public ValueTask<StreamListResult> ListStreams(StreamListRequest request, CancellationToken cancellation = default) =>
        new(tampering.Listed(request, StreamReads.List(segment, tampering.ListAsked(request))));

    public ValueTask Doubt() => throw new NotSupportedException();

    public ValueTask Flush(CancellationToken cancellation = default) => throw new NotSupportedException();

    public ValueTask<SegmentStats> GetStats(CancellationToken cancellation = default) => new((SegmentStats)null!);

    public ValueTask<AggregationResult> Aggregate(AggregationQuery query, CancellationToken cancellation = default) => throw new NotSupportedException();
}

/// <summary>What happens to questions and answers on their way. Nothing unless set.</summary>
internal sealed class Tampering
{
    /// <summary>Awaited before an append.</summary>
    public Func<Task> BeforeAppend { get; set; } = static () => Task.CompletedTask;

    /// <summary>An exception from here is an answer that was lost.</summary>
    public Func<AppendRequest, AppendResult, AppendResult> Appended { get; set; } = static (_, answer) => answer;

    public Func<StreamReadRequest, StreamReadRequest> Asked { get; set; } = static request => request;

    public Func<StreamReadRequest, StreamReadResult, StreamReadResult> Answered { get; set; } = static (_, answer) => answer;

    public Func<IReadOnlyList<StreamStanding?>, IReadOnlyList<StreamStanding?>> Found { get; set; } = static found => found;

    public Func<StreamListRequest, StreamListRequest> ListAsked { get; set; } = static request => request;

    public Func<StreamListRequest, StreamListResult, StreamListResult> Listed { get; set; } = static (_, answer) => answer;
}

/// <summary>The system's clock, which a test can put forward.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private TimeSpan _by;

    public void Advance(TimeSpan by) => _by += by;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + _by;
}
