using KawaOrleans.Server.Queries;
using KawaOrleans.Storage;

namespace KawaOrleans.Server.Segments;

/// <summary>An aggregation over one segment's part of a range.</summary>
internal static class SegmentFold
{
    private const int ScanBytes = 4 * 1024 * 1024;

    public static AggregationResult Run(
        Segment segment, IEventAggregation aggregation, AggregationQuery query, PreparedFilter? filter, CancellationToken cancellation)
    {
        var values = new AggregationValues(aggregation.Name);
        var fold = aggregation.Begin(query.Argument, values);
        var from = Math.Max(query.Range.From, segment.Header.BasePosition);
        var to = Math.Max(from, Math.Min(query.Range.To, segment.Tail.Position));
        var events = 0L;
        for (var next = from; next < to;)
        {
            cancellation.ThrowIfCancellationRequested();
            var span = segment.Read(next, to, int.MaxValue, ScanBytes);
            var scan = new FrameScan(segment, span);
            while (scan.MoveNext())
            {
                ref readonly var e = ref scan.Event;
                if (filter is null || filter.Matches(e))
                {
                    Fold(fold, e, aggregation.Name);
                    events++;
                }
            }

            next = span.Next;
            GC.KeepAlive(span.Bytes);
        }

        return new AggregationResult { Values = values.ToDictionary(), Events = events, From = from, To = to };
    }

    private static void Fold(EventFold fold, in EventFrame e, string aggregation)
    {
        try
        {
            fold(e);
        }
        catch (OverflowException)
        {
            throw new RequestRefusedException($"Aggregation '{aggregation}': a value is beyond 64 bits at position {e.Position}. Narrow the range.");
        }
    }
}
