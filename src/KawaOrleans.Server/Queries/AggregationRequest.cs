using KawaOrleans.Server.Segments;

namespace KawaOrleans.Server.Queries;

/// <summary>What every aggregation query must satisfy.</summary>
internal static class AggregationRequest
{
    public static void Check(AggregationQuery? query)
    {
        if (query?.Range is null)
        {
            throw new RequestRefusedException("An aggregation query names an aggregation and a range; this one is null.");
        }

        RangeCheck.Check(query.Range.From, query.Range.To);
        SegmentReads.CheckAtLeast(query.Range.AtLeast);
        if (query.Range.Limit != long.MaxValue)
        {
            throw new RequestRefusedException($"An aggregation has no {nameof(RangeQuery.Limit)}; leave it unset and bound the range instead.");
        }
    }
}
