using KawaOrleans.Server.Queries;
using KawaOrleans.Storage;

namespace KawaOrleans.Server.Segments;

/// <summary>An aggregation over one segment's part of a range.</summary>
internal static class SegmentFold
{
    public static AggregationResult Run(
        Segment segment, IEventAggregation aggregation, AggregationQuery query, PreparedFilter? filter, CancellationToken cancellation)
    {
        var values = new AggregationValues(aggregation.Name);
        var fold = aggregation.Begin(query.Argument, values);
        var from = Math.Max(query.Range.From, segment.Header.BasePosition);
        var to = Math.Max(from, Math.Min(query.Range.To, segment.Committed));
        var events = 0L;
        foreach (var e in segment.Scan(from, to))
        {
            cancellation.ThrowIfCancellationRequested();
            if (filter is null || filter.Matches(e))
            {
                Fold(fold, e, aggregation.Name);
                events++;
            }
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
